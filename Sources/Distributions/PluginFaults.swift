/// What is wrong with the plugins, in the order in which it is found.
///
/// Readers note a fault and go on where they can, so that `retrace plugin check` tells all of them in one run.
final class PluginFaults {
    private(set) var all: [CatalogError] = []

    func note(_ fault: CatalogError) { all.append(fault) }

    /// What `body` gives; nil, with its fault noted, when it throws.
    func attempt<Value>(_ body: () throws(CatalogError) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            note(error)
            return nil
        }
    }
}
