/// Says what is wrong with a file of proxies.
public struct ProxiesError: Error, Hashable, CustomStringConvertible {
    /// Says what is wrong, and where, in one line.
    public var description: String
    /// Tells a text that is wrong from one that cannot be done now.
    public var isBadText: Bool

    /// Makes an error; for a text that is wrong it says what a right one looks like.
    init(_ reason: some StringProtocol, isBadText: Bool) {
        let example = #"[{"name":"db","listen":"127.0.0.1:9001","upstream":"127.0.0.1:5432"}]"#
        description = String(reason) + (isBadText ? "; a file of proxies is like \(example)" : "")
        self.isBadText = isBadText
    }
}
