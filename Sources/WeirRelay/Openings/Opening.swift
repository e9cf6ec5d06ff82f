public import WeirEngine
public import WeirWire

/// What a client must say before its flow begins, such as a SOCKS request: a state machine that does no I/O.
///
/// Only TCP has openings: a datagram has no beginning.
///
/// ```swift
/// struct Line: Opening {
///     var line: [UInt8] = []
///
///     mutating func receive(_ bytes: RawSpan) -> OpeningStep {
///         // The first line names the target; what follows it belongs to the flow.
///     }
/// }
/// ```
public protocol Opening: Sendable {
    /// Takes what the client sent, in pieces of any size.
    mutating func receive(_ bytes: RawSpan) -> OpeningStep
    /// Answers what became of the dial, before any byte of the server: what it returns goes to the client.
    ///
    /// It is asked once, after `opened`. A client whose dial failed gets the answer and an end; without an answer it is
    /// reset.
    mutating func dialed(_ outcome: DialOutcome) -> [UInt8]
}

extension Opening {
    /// Answers nothing.
    public mutating func dialed(_ outcome: DialOutcome) -> [UInt8] { [] }
}

/// What became of the dial of a client's target.
public enum DialOutcome: Hashable, Sendable {
    /// The server is connected.
    case connected(egress: Endpoint?, server: Endpoint?)
    /// No address of the target was reached; the error is the last one's.
    case failed(ErrorNumber)
}

/// What an opening answers to a piece of the client's bytes.
public enum OpeningStep: Sendable {
    /// The client must say more; these bytes go to it first.
    case waits(answer: [UInt8] = [])
    /// The flow can begin, after these bytes went to the client.
    case opened(OpenedClient, answer: [UInt8] = [])
    /// The client is refused, for this reason, after these bytes went to it.
    case refused(String, answer: [UInt8] = [])
}

/// What an opening has found out.
public struct OpenedClient: Hashable, Sendable {
    /// The endpoint of the client, if it is not the peer of its connection.
    public var client: Endpoint?
    /// Where the client wants to go; nil for the target of the route.
    public var target: HostPort?
    /// The number of the piece's bytes that belonged to the opening; the rest is the flow's.
    public var taken: Int

    /// Creates the outcome of an opening.
    public init(client: Endpoint? = nil, target: HostPort? = nil, taken: Int) {
        self.client = client
        self.target = target
        self.taken = taken
    }
}

/// A kind of opening, by its name.
public struct OpeningKind: Hashable, Sendable {
    /// The name.
    public let name: String
    /// Makes the opening of one client.
    public let make: @Sendable () -> any Opening

    /// Creates a kind.
    public init(_ name: String, _ make: @escaping @Sendable () -> any Opening) {
        self.name = name
        self.make = make
    }

    /// Compares the names.
    public static func == (left: OpeningKind, right: OpeningKind) -> Bool { left.name == right.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
