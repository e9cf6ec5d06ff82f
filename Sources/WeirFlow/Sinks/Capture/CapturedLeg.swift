import WeirWire

/// Follows one leg of a flow: what each end has said and acknowledged, so that every packet has the right numbers.
///
/// Whatever one end sends, the other acknowledges once. Nobody sends behind an own FIN, and nothing follows a reset.
/// `CapturedLeg+Stream` writes TCP, `CapturedLeg+Packets` writes datagrams, and every packet.
struct CapturedLeg: Sendable {
    /// Bounds the notes that wait for a packet.
    private static let notesKept = 8

    /// Holds what one end has said.
    struct End {
        /// Is the sequence number of its next byte.
        var next: UInt32 = 0
        /// Is the acknowledgment number that it has sent last.
        var acknowledged: UInt32 = 0
        var isFinished = false
    }

    /// Lists what a connection can be.
    enum State {
        case closed, opening, open
    }

    let leg: FlowLeg
    let initiator: Endpoint
    let responder: Endpoint
    private let flow: FlowID
    private let path: FlowPath
    /// Says which process the client is, where that is known.
    private let process: ClientProcess?
    var state = State.closed
    private var up = End()
    private var down = End()
    /// Numbers the last file in which a packet says whose leg this is.
    private var introducedIn: UInt32 = 0
    private var notes: [String] = []

    init(_ leg: FlowLeg, _ initiator: Endpoint, _ responder: Endpoint, of record: FlowRecord, _ process: ClientProcess?)
    {
        self.process = process
        self.leg = leg
        self.initiator = initiator
        self.responder = responder
        flow = record.flow
        path = record.path
    }

    /// Says that both ends are one socket, which has met itself.
    var isSelfConnected: Bool { initiator == responder }

    func hasSameEnds(as other: CapturedLeg?) -> Bool {
        initiator == other?.initiator && responder == other?.responder
    }

    subscript(direction: Direction) -> End {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    /// Does something to the leg: what optional chaining needs.
    mutating func apply(_ body: (inout CapturedLeg) -> Void) { body(&self) }

    /// Says something with the leg's next packet.
    mutating func note(_ text: String) {
        if notes.count < Self.notesKept { notes.append(text) }
    }

    /// Takes what is to be said with a packet of a file.
    mutating func takeComments(in file: UInt32) -> [String] {
        guard introducedIn != file || !notes.isEmpty else { return [] }
        defer { notes = [] }
        guard introducedIn != file else { return notes }
        introducedIn = file
        return [introduction] + notes
    }

    /// Says whose packets these are: the flow's number and the endpoints that it has.
    private var introduction: String {
        var text = path.introduction(of: flow)
        if let process { text += "; process \(process.description)" }
        if isSelfConnected { text += "; the socket dialed the very port that it was given, and met itself" }
        return text
    }
}
