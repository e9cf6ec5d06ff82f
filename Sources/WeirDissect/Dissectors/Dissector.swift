public import WeirWire

/// A reader of one protocol in one flow: one value for each flow, so its state is plain `var`s.
///
/// Each dissector is one file and one row of `Dissectors.all`. It reads bytes from the start of a message, and returns
/// the message's length; `FlowDissector` passes the bytes, buffers those that are not enough yet, and delivers a
/// message after its last byte. If the protocol turns out to be another one, the dissector gives up, and the bytes
/// remain bytes.
protocol Dissector: Sendable {
    /// The name of the protocol, its ports and its fields.
    static var description: DissectorDescription { get }

    /// Returns whether bytes at the start of a chunk look like a message of this protocol.
    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition

    /// Creates the state of a flow of which nothing was seen yet.
    init()

    /// Reads on in a direction: from the beginning of a message, or from where the last step ended.
    ///
    /// Must not read a byte again for each arriving chunk: it records in its state how far it scanned, or asks with
    /// `more` for the number of bytes needed. Its state must be bounded.
    ///
    /// - Parameters:
    ///   - bytes: The available bytes: at least one, and at least as many as the last `more` asked for.
    ///   - place: The place of the bytes.
    ///   - message: The message so far, with ranges counted from the start of `bytes`. If the step depends on fewer
    ///     bytes than it covers, such as a head before its body, set `looked` to their number.
    /// - Returns: The continuation of the flow.
    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep

    /// Reads an incomplete message whose remaining bytes will not arrive; the bytes are those that the last `more` got.
    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage)

    /// Forgets the half-read message of a direction: bytes are missing, or the sides were swapped.
    mutating func lose(_ direction: Direction)
}

extension Dissector {
    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage) {}
    mutating func lose(_ direction: Direction) {}
}

/// The description of a dissector for users: a row of the table that `weir show --dissectors` prints.
public struct DissectorDescription: Sendable {
    /// The name of the protocol, one word in lower case, as in filters.
    public var name: StaticString
    /// The name of the protocol for users, and what Weir reads of it.
    public var summary: StaticString
    /// The transports of the protocol.
    public var transports: [Transport]
    /// The ports that decide if the content alone does not.
    public var ports: [UInt16]
    /// The fields that a message can have.
    public var fields: [FieldName]
}

/// The circumstances of the bytes at which a dissector would begin.
struct DissectionStart: Sendable {
    /// The direction of the bytes; it can be wrong in a capture that begins late.
    var direction: Direction
    /// The transport of the bytes.
    var transport: Transport
    /// Whether one of the flow's ports is one of the protocol's.
    var hasPort: Bool
}

/// Whether bytes look like a protocol.
enum Recognition: Equatable {
    /// Not this protocol.
    case no
    /// Possibly; the port decides.
    case maybe
    /// Undecided: there are too few bytes, and this number would be enough; at most `FlowDissector.detectionLimit`.
    case more(Int)
    /// Certainly this protocol.
    case yes
}

/// The place of the bytes that a dissector reads.
struct MessagePlace: Sendable {
    /// The direction of the bytes.
    var direction: Direction
    /// The transport of the bytes; a datagram arrives in one piece.
    var transport: Transport
    /// The number of bytes of the stream, or of the datagram, before them.
    var offset: Int
}

/// The continuation of a flow after a step of its dissector.
enum DissectionStep {
    /// The message ends this number of bytes from here, even past the available ones; it is delivered after its end.
    case message(Int)
    /// The message continues after this number of bytes, which may be more than there are and need not be seen.
    case skip(Int)
    /// The message continues to the end of the stream.
    case rest
    /// This number of bytes is needed, from the start of these.
    case more(Int)
    /// The other direction decides about these bytes.
    case wait
    /// These bytes are no message; the next chunk that looks like one is read.
    case lost
    /// The flow speaks another protocol.
    case giveUp
}
