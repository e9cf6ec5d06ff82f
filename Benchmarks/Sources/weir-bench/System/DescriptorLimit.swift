import Glibc

/// The number of descriptors that this process and its children may open.
enum DescriptorLimit {
    /// Counts how many flows a relay can have at once, with two descriptors each and some for itself.
    ///
    /// - Parameter wanted: how many there are to be.
    /// - Returns: that number, or what the hard limit allows of it.
    static func flows(upTo wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        return min(wanted, max(1, (Int(clamping: limit.rlim_max) - 200) / 2))
    }

    /// Raises the soft limit to the hard one; children inherit it.
    ///
    /// - Returns: The limit from now on.
    @discardableResult
    static func raise() throws(BenchError) -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { throw .lastCall("getrlimit") }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else { throw .lastCall("setrlimit") }
        return Int(clamping: limit.rlim_cur)
    }
}
