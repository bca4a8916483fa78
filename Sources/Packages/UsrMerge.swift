import Archives

/// `path` as a system with merged `/usr` spells it: `/lib/x/libc.so.6` becomes `/usr/lib/x/libc.so.6`.
///
/// Packages of Debian 12 still ship both spellings, the kernel reports the merged one; see file-hierarchy(7).
package func usrMerged(_ path: String) -> String {
    guard path.hasPrefix("/"), !path.hasPrefix("/usr/") else { return path }
    let first = path.dropFirst().prefix { $0 != "/" }
    return usrMergedDirectories.contains { $0 == first } ? "/usr" + path : path
}
