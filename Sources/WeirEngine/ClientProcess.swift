/// The process on this machine that owns a client's port.
public struct ClientProcess: Hashable, Sendable {
    /// The number of the process (PID).
    public var identifier: Int32
    /// The name of the process, at most 15 bytes: any bytes but NUL, repaired if they are not UTF-8.
    public var name: String
    /// The name of the process's user, or the user's number if there is no name.
    public var user: String

    /// Creates a process from its parts.
    public init(identifier: Int32, name: String, user: String) {
        self.identifier = identifier
        self.name = name
        self.user = user
    }

    /// The process in the form `curl/4711 user root`, without control characters, or blanks within a name.
    public var description: String { "\(Self.plain(name))/\(identifier) user \(Self.plain(user))" }

    /// Returns the text with `\xHH` for every byte but ASCII letters, digits and `-_.+@:`, as in `Web\x20Content`.
    public static func plain(_ text: String) -> String {
        var plain = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "+"), UInt8(ascii: "@"), UInt8(ascii: ":"):
                plain.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                plain += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return plain
    }
}

/// What is known of the process of a flow's client.
public enum ProcessAnswer: Hashable, Sendable {
    /// The process that owns the client's port.
    case found(ClientProcess)
    /// The client is on this machine, but its process was not found: it had exited, is not accessible, or there were
    /// too many to search.
    case unknown
    /// The client is not on this machine, or the search is off.
    case notAsked
}

/// A function that returns the process of a flow's client; it may wait a moment, on a sink's thread.
public typealias ProcessLookup = @Sendable (FlowID) -> ProcessAnswer

/// A function that returns the process of a flow's client without waiting; nil while the search is under way.
public typealias ProcessPeek = @Sendable (FlowID) -> ProcessAnswer?
