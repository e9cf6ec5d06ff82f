/// Reads one protocol in one flow: a value for each flow, so its state is plain `var`s.
///
/// One file and one row of `Dissectors.all` each. A dissector reads bytes that begin a message, and says how long the
/// message is; `FlowDissector` brings the bytes, holds back what is not enough yet, and gives messages once their last
/// byte was there. A dissector that is wrong gives up, and the bytes stay bytes.
protocol Dissector: Sendable {
    /// Names the protocol, its ports and its fields.
    static var description: DissectorDescription { get }

    /// Says whether bytes that begin a chunk look like a message of this protocol.
    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition

    /// Makes the state of a flow of which nothing was seen.
    init()

    /// Reads on in a direction: at a message's beginning, or where the last step left off.
    ///
    /// Must not read a byte twice for each chunk that comes: what was scanned is noted in the state, or `more` says how
    /// many bytes are needed. Must keep a bounded state.
    ///
    /// - Parameters:
    ///   - bytes: What there is: at least one byte, and at least as many as the last `more` asked for.
    ///   - place: Where the bytes are.
    ///   - message: The message so far, whose ranges count from the start of `bytes`; where the step depends on fewer bytes
    ///     than it goes over, such as a head before its body, `looked` says on how many.
    /// - Returns: How the flow goes on.
    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep

    /// Reads what there is of a message whose other bytes will not come; the bytes are those that the last `more` got.
    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage)

    /// Forgets what is half read of a direction: bytes are missing, or the sides have changed places.
    mutating func lose(_ direction: Direction)
}

extension Dissector {
    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage) {}
    mutating func lose(_ direction: Direction) {}
}

/// Describes a dissector for people: a row of the table that `weir show --dissectors` prints.
public struct DissectorDescription: Sendable {
    /// Names the protocol in one word of lower case, as in filters.
    public var name: StaticString
    /// Names the protocol for people, and what is read of it.
    public var summary: StaticString
    /// Lists what can carry it.
    public var transports: [Transport]
    /// Lists the ports that count where the content alone does not tell.
    public var ports: [UInt16]
    /// Lists what a message can have.
    public var fields: [FieldName]
}

/// Names a field of a message, with a few words of help; as Wireshark names it, where Wireshark does.
public struct FieldName: Sendable {
    /// Holds the name, such as `http.host`.
    public var name: StaticString
    /// Says what it is.
    public var help: StaticString
    /// Says that a flow is known by the first value of this field.
    public var finding: Finding?

    init(_ name: StaticString, _ help: StaticString, finding: Finding? = nil) {
        self.name = name
        self.help = help
        self.finding = finding
    }
}

/// Names what a flow is known by.
public enum Finding: String, Sendable, CaseIterable {
    /// Is the server that a TLS client names.
    case serverName = "sni"
    /// Is the host of an HTTP request.
    case host
    /// Is the name that a DNS client asks for.
    case query
}

/// Says where a dissector would begin.
struct DissectionStart: Sendable {
    /// Says which way the bytes go; in a capture that begins late it can be the wrong one.
    var direction: Direction
    /// Says what carries them.
    var transport: Transport
    /// Says that one of the flow's ports is the protocol's.
    var hasPort: Bool
}

/// Says whether bytes look like a protocol.
enum Recognition: Equatable {
    /// Are none of it.
    case no
    /// Can be; a port that is the protocol's decides.
    case maybe
    /// Cannot be told by so few bytes; so many would do.
    case more(Int)
    /// Are nothing else.
    case yes
}

/// Says where bytes are that a dissector reads.
struct MessagePlace: Sendable {
    /// Says which way they go.
    var direction: Direction
    /// Says what carries them; a datagram comes in one piece.
    var transport: Transport
    /// Counts the bytes of the stream before them; of the datagram.
    var offset: Int
}

/// Says how a dissector goes on.
enum DissectionStep {
    /// The message ends so many bytes from where the bytes begin, which can be more than are there: it is given once they
    /// have passed.
    case message(Int)
    /// The message goes on behind so many bytes, which can be more than are there and need not be seen.
    case skip(Int)
    /// The message goes on to the end of the stream.
    case rest
    /// So many bytes are needed from where these begin.
    case more(Int)
    /// The other direction decides what these bytes are.
    case wait
    /// This is no message: the next chunk that looks like one is.
    case lost
    /// This is another protocol.
    case giveUp
}
