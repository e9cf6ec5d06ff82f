import Glibc

/// The number of descriptors that this process and its children may open.
enum DescriptorLimit {
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
