/// The number of an event, with the name of the log that gave it: `5f0e4d1c2b3a6978-42`.
struct EventID: Hashable, Sendable {
    /// The log's name; nil if the client gave the number alone.
    var instance: String?
    /// The event's number, from 1; 0 comes before all of them.
    var number: UInt64

    /// The pattern of its text.
    static let pattern = "^([0-9a-f]{16}-)?(0|[1-9][0-9]{0,17})$"

    init(instance: String? = nil, number: UInt64) {
        self.instance = instance
        self.number = number
    }

    /// Reads an ID; nil if the text is not one.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let digits = parts.last, parts.count <= 2, (1...18).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits)
        else { return nil }
        if parts.count == 2, parts[0].isEmpty { return nil }
        self.init(instance: parts.count == 2 ? String(parts[0]) : nil, number: number)
    }
}
