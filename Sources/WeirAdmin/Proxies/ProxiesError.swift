/// An error in a file of proxies.
public struct ProxiesError: Error, Hashable, CustomStringConvertible {
    /// The error and its place, in one line.
    public var description: String
    /// Whether the text is wrong, or right but impossible to carry out now.
    public var isBadText: Bool

    /// Creates an error; for a wrong text it adds an example of a right one.
    init(_ reason: some StringProtocol, isBadText: Bool) {
        let example = #"[{"name":"db","listen":"127.0.0.1:9001","upstream":"127.0.0.1:5432"}]"#
        description = String(reason) + (isBadText ? "; a file of proxies is like \(example)" : "")
        self.isBadText = isBadText
    }
}
