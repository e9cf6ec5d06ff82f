/// Names the process of this machine that owns a client's port.
public struct ClientProcess: Hashable, Sendable {
    /// Numbers the process.
    public var identifier: Int32
    /// Holds its name, at most 15 bytes: any bytes but NUL, repaired where they are no UTF-8.
    public var name: String
    /// Names its user, by the number where it has no name.
    public var user: String

    /// Makes a process from its parts.
    public init(identifier: Int32, name: String, user: String) {
        self.identifier = identifier
        self.name = name
        self.user = user
    }

    /// Prints `curl/4711 user root`, in which nothing can steer a terminal and no blank stands within a name.
    public var description: String { "\(Self.plain(name))/\(identifier) user \(Self.plain(user))" }

    /// Replaces what is neither a letter, a digit nor harmless by its number in hex: `Web\x20Content`.
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

/// Says what is known of the process behind a flow's client.
public enum ProcessAnswer: Hashable, Sendable {
    /// The process that owns the client's port.
    case found(ClientProcess)
    /// The client is of this machine, and its process was not found: it had gone, or may not be looked at, or there were
    /// too many to look for.
    case unknown
    /// The client is not of this machine, or nobody looks.
    case notAsked
}

/// Answers which process is behind a flow's client; may wait for a moment, on a sink's thread.
public typealias ProcessLookup = @Sendable (FlowID) -> ProcessAnswer

/// Answers which process is behind a flow's client, without waiting; nil while it is looked for.
public typealias ProcessPeek = @Sendable (FlowID) -> ProcessAnswer?
