/// Whose source code is put into the root, so that the result can show the lines around the top frames.
///
/// Only distributions that package it have any: RPM's `-debugsource`.
package enum SourceChoice: String, Hashable, Sendable, CaseIterable {
    case none
    /// That of the source package of the program.
    case program
    /// That of every module.
    case all
}
