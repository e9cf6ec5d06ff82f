/// The reason why packets cannot be captured, in libpcap's words if it has some.
public enum CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// This program was built without libpcap.
    case notBuilt
    /// The permission to open the interface is missing.
    case noPermission(interface: String, words: String)
    /// There is no such interface, only the available ones.
    case noInterface(String, available: [String])
    /// The filter does not compile.
    case badFilter(String, words: String)
    /// An interface that was open is gone, or is down.
    case interfaceGone(String, words: String)
    /// Something else failed.
    case failed(attempt: String, words: String)

    /// The error in one line.
    public var description: String {
        switch self {
        case .notBuilt:
            "this weir was built without libpcap; install libpcap-dev and build it without --disable-default-traits"
        case .noPermission(let interface, let words):
            "cannot capture on \(interface): \(words)"
        case .noInterface(let name, let available):
            "there is no interface '\(name)' to capture on; there are: \(available.joined(separator: ", "))"
        case .badFilter(let filter, let words):
            "'\(filter)' is no filter: \(words); see pcap-filter(7)"
        case .interfaceGone(let interface, let words):
            "the capture on \(interface) has ended: \(words)"
        case .failed(let attempt, let words):
            "cannot \(attempt): \(words)"
        }
    }
}
