import Glibc

/// Lets the process open as many files as it may at all, and says how many that are: a soft limit of 1024 is for programs
/// that use select(2), and would be used up by as many clients.
///
/// - Parameter most: No more than this is asked for.
func raiseOpenFileLimit(to most: Int = 1 << 20) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    let wanted = min(limit.rlim_max, rlim_t(most))
    if wanted > limit.rlim_cur {
        var raised = limit
        raised.rlim_cur = wanted
        // A sandbox that forbids it leaves the limit as it was.
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(min(limit.rlim_cur, rlim_t(most)))
}
