import WeirEngine
import WeirWire

/// One leg of a flow: what each end has sent and acknowledged, so that every packet has the right numbers.
///
/// Whatever one end sends, the other acknowledges once. No end sends after its own FIN, and nothing follows a reset.
/// `CapturedLeg+Stream` writes TCP, `CapturedLeg+Packets` writes datagrams, and every packet.
struct CapturedLeg: Sendable {
    /// The maximum number of notes that wait for a packet.
    private static let notesKept = 8

    /// The state of one end.
    struct End {
        /// The sequence number of its next byte.
        var next: UInt32 = 0
        /// The last acknowledgment number that it sent.
        var acknowledged: UInt32 = 0
        var isFinished = false
        /// The number of bytes that were on the wire, if those are written.
        var bytesOnWire: UInt64 = 0
    }

    /// The states of a connection.
    enum State {
        case closed, opening, open
    }

    let leg: FlowLeg
    let initiator: Endpoint
    let responder: Endpoint
    private let flow: FlowID
    private let path: FlowPath
    /// The client's process, if it is known.
    private let process: ClientProcess?
    var state = State.closed
    private var up = End()
    private var down = End()
    /// The number of the last file in which a packet's comment introduces this leg.
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

    /// Whether both ends are one socket, which connected to itself.
    var isSelfConnected: Bool { initiator == responder }

    func hasSameEnds(as other: CapturedLeg?) -> Bool {
        initiator == other?.initiator && responder == other?.responder
    }

    subscript(direction: Direction) -> End {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    /// Runs a closure on the leg, for use with optional chaining.
    mutating func apply(_ body: (inout CapturedLeg) -> Void) { body(&self) }

    /// Adds a comment to the leg's next packet.
    mutating func note(_ text: String) {
        if notes.count < Self.notesKept { notes.append(text) }
    }

    /// Takes the comments for a packet of a file.
    mutating func takeComments(in file: UInt32) -> [String] {
        guard introducedIn != file || !notes.isEmpty else { return [] }
        defer { notes = [] }
        guard introducedIn != file else { return notes }
        introducedIn = file
        return [introduction] + notes
    }

    /// Returns the process that sends the packets of a direction; nil if it is not known, or not on this leg.
    ///
    /// On the leg to the server it is the relay itself, which is in no capture of its own.
    func sender(of direction: Direction) -> Int32? {
        leg == .client && direction == .upstream ? process?.identifier : nil
    }

    /// The comment that introduces the leg: the flow's number, its known endpoints, and the client's process.
    private var introduction: String {
        var text = path.introduction(of: flow)
        if let process { text += "; process \(process.description)" }
        if isSelfConnected { text += "; the socket dialed the very port that it was given, and met itself" }
        return text
    }
}
