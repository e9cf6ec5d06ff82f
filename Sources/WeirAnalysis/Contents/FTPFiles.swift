public import WeirDissect
public import WeirWire

/// A reader of the files that go over FTP: the commands of control connections, and the connections that they announce.
///
/// Source: RFC 959; RFC 2428 for EPRT and EPSV.
public struct FTPFiles: ~Copyable, Sendable {
    /// A transfer that was announced.
    fileprivate struct Transfer: Sendable {
        /// The file; nil until it is asked for.
        var file: TransferredFile?
        var bytes = TransferredFile(.ftp, place: 0, name: "", isUpload: false)
        /// The place of its connection; nil until there is one.
        var place: Int?
        var hasEnded = false
        var isDone = false
    }

    /// The state of a control connection.
    fileprivate struct Control: Sendable {
        var lines: [[UInt8]] = [[], []]
        /// The last transfer that was announced, until a command uses it.
        var announced: Int?
    }

    private var reassembler = TCPReassembler()
    private var state = State()

    /// Everything but the reassembler, which lends bytes while this changes.
    fileprivate struct State: Sendable {
        var controls: [Int: Control] = [:]
        var transfers: [Transfer] = []
        /// The transfer that waits for a connection to an endpoint.
        var expected: [Endpoint: Int] = [:]
        /// The transfer of each connection that carries one.
        var carriers: [Int: Int] = [:]
    }

    /// The maximum length of a line, and of the number of transfers that are known.
    fileprivate static let longestLine = 4096
    fileprivate static let limit = 1 << 16

    /// A closure that receives a file, at the end of its connection or of the capture.
    public typealias Receiver = (TransferredFile) -> Void

    /// Creates a reader that knows no connection.
    public init() {}

    /// Reads a packet that was already added to the flows.
    ///
    /// - Parameters:
    ///   - packet: Its time and lengths.
    ///   - bytes: Its captured bytes.
    ///   - flows: The flows up to and with the packet, and the decoded packet.
    ///   - server: The server's port, if the flow's path tells another one than the packet.
    ///   - receiver: Receives the files that are complete.
    public mutating func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        server: UInt16? = nil,
        to receiver: Receiver
    ) {
        guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { return }
        let flow = flows.table[place.index]
        if place.isNew { state.begin(place.index, flow, isControl: (server ?? flow.server.port) == 21) }
        if state.controls[place.index] == nil, state.carriers[place.index] == nil {
            guard place.direction == .downstream else { return }
            let isGreeting = flows.withPayload(.tcp, of: bytes) { payload in
                payload.withUnsafeBytes { $0.starts(with: "220 ".utf8) || $0.starts(with: "220-".utf8) }
            }
            guard isGreeting, state.controls.count < Self.limit else { return }
            state.controls[place.index] = Control()
            beginStreams(place.index, flow, flows.stages)
        }
        if place.hasTurned { reassembler.turn(flow: place.index) }
        let stages = flows.stages
        flows.withPayload(.tcp, of: bytes) { payload in
            Self.add(segment, payload, place, packet.timestamp, flow, stages, &reassembler, &state)
        }
        guard let transfer = state.carriers[place.index] else { return }
        switch flow.close {
        case .finished: state.transfers[transfer].hasEnded = true
        case .clientReset, .serverReset: break
        default: return
        }
        state.end(transfer, receiver)
    }

    /// Tells the reassembler where the streams of a flow began, whose first packets it did not get.
    private mutating func beginStreams(_ place: Int, _ flow: ObservedFlow, _ stages: (any StreamStages)?) {
        for direction in Direction.allCases {
            guard let first = flow.firstNumber(of: direction) else { continue }
            let segment = StreamSegment(sequenceNumber: first, flags: .syn, length: 0)
            reassembler.add(segment, RawSpan(), flow: place, direction, at: nil, through: stages) { _, _ in }
        }
    }

    /// Ends the reading: files whose connections did not end are received as they are.
    public mutating func finish(to receiver: Receiver) {
        Self.finish(&reassembler, &state)
        for index in state.transfers.indices { state.end(index, receiver) }
        state = State()
    }

    private static func add(
        _ segment: StreamSegment,
        _ payload: RawSpan,
        _ place: FlowTable.Place,
        _ time: Int64?,
        _ flow: ObservedFlow,
        _ stages: (any StreamStages)?,
        _ reassembler: inout TCPReassembler,
        _ state: inout State
    ) {
        let (index, direction) = (place.index, place.direction)
        reassembler.add(segment, payload, flow: index, direction, at: time, through: stages) { piece, bytes in
            state.take(piece, bytes, index == piece.flow ? flow : nil)
        }
    }

    private static func finish(_ reassembler: inout TCPReassembler, _ state: inout State) {
        reassembler.finish { piece, bytes in state.take(piece, bytes, nil) }
    }
}

extension FTPFiles.State {
    /// Begins a connection: a control connection, or one that was announced.
    mutating func begin(_ place: Int, _ flow: ObservedFlow, isControl: Bool) {
        if isControl {
            if controls.count < FTPFiles.limit { controls[place] = FTPFiles.Control() }
        } else if let transfer = expected.removeValue(forKey: flow.server) ?? expected.removeValue(forKey: flow.client)
        {
            // Two endpoints can be announced for one connection.
            guard transfers[transfer].place == nil else { return }
            carriers[place] = transfer
            transfers[transfer].place = place
        }
    }

    mutating func take(_ piece: StreamPiece, _ bytes: RawSpan, _ flow: ObservedFlow?) {
        guard piece.layer != .handshake else { return }
        if let transfer = carriers[piece.flow] {
            if piece.content == .bytes {
                transfers[transfer].bytes.append(bytes)
            } else {
                transfers[transfer].bytes.appendMissing(piece.count)
            }
        } else if controls[piece.flow] != nil, piece.content == .bytes, let flow {
            readLines(piece.flow, piece.direction, bytes, flow)
        }
    }

    private mutating func readLines(_ place: Int, _ direction: Direction, _ bytes: RawSpan, _ flow: ObservedFlow) {
        guard var control = controls.removeValue(forKey: place) else { return }
        let side = Int(direction.rawValue)
        bytes.withUnsafeBytes { bytes in
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    if control.lines[side].count < FTPFiles.longestLine { control.lines[side].append(byte) }
                    continue
                }
                var text = String(decoding: control.lines[side], as: UTF8.self)
                if text.unicodeScalars.last == "\r" { text.unicodeScalars.removeLast() }
                control.lines[side].removeAll(keepingCapacity: true)
                if direction == .upstream {
                    takeCommand(text, place, flow, &control)
                } else {
                    takeReply(text, flow, &control)
                }
            }
        }
        controls[place] = control
    }

    private mutating func takeCommand(
        _ text: String,
        _ place: Int,
        _ flow: ObservedFlow,
        _ control: inout FTPFiles.Control
    ) {
        let command = text.prefix { $0 != " " }.uppercased()
        let argument = String(text.dropFirst(command.count).drop { $0 == " " })
        switch command {
        case "PORT":
            if let endpoint = Self.endpoint(sixNumbers: argument) { announce([endpoint], &control) }
        case "EPRT":
            let parts = argument.dropFirst().split(separator: argument.first ?? "|", omittingEmptySubsequences: false)
            if parts.count >= 3, let address = IPAddress(parts[1]), let port = UInt16(parts[2]) {
                announce([Endpoint(address: address, port: port)], &control)
            }
        case "RETR", "STOR", "STOU", "APPE":
            guard let transfer = control.announced else { break }
            let name = argument.isEmpty ? command.lowercased() : argument
            transfers[transfer].file = TransferredFile(.ftp, place: place, name: name, isUpload: command != "RETR")
            control.announced = nil
        case "LIST", "NLST", "MLSD": control.announced = nil
        default: break
        }
    }

    private mutating func takeReply(_ text: String, _ flow: ObservedFlow, _ control: inout FTPFiles.Control) {
        if text.hasPrefix("227 ") {
            let digits = text.dropFirst(4).drop { !$0.isNumber }
            guard let said = Self.endpoint(sixNumbers: String(digits)) else { return }
            // A server behind a translator of addresses may name one that its client does not see.
            announce([said, Endpoint(address: flow.server.address, port: said.port)], &control)
        } else if text.hasPrefix("229 "), let start = text.firstIndex(of: "(") {
            let mark = text[text.index(after: start)...].first ?? "|"
            let parts = text[text.index(after: start)...].split(separator: mark)
            guard let port = parts.first.flatMap({ UInt16($0) }) else { return }
            announce([Endpoint(address: flow.server.address, port: port)], &control)
        }
    }

    private mutating func announce(_ endpoints: [Endpoint], _ control: inout FTPFiles.Control) {
        guard transfers.count < FTPFiles.limit else { return }
        transfers.append(FTPFiles.Transfer())
        control.announced = transfers.count - 1
        for endpoint in endpoints { expected[endpoint] = transfers.count - 1 }
    }

    /// Reads an address and a port in six numbers: `10,0,0,1,195,149`.
    private static func endpoint(sixNumbers text: String) -> Endpoint? {
        let numbers = text.prefix { $0.isNumber || $0 == "," }.split(separator: ",").map { UInt8($0) }
        guard numbers.count == 6 else { return nil }
        let bytes = numbers.compactMap { $0 }
        guard bytes.count == 6, let address = IPAddress("\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3])") else {
            return nil
        }
        return Endpoint(address: address, port: UInt16(bytes[4]) << 8 | UInt16(bytes[5]))
    }

    /// Receives the file of a transfer, unless it was received, or none was asked for.
    mutating func end(_ index: Int, _ receiver: FTPFiles.Receiver) {
        let transfer = transfers[index]
        guard !transfer.isDone, transfer.place != nil, var file = transfer.file else { return }
        file.bytes = transfer.bytes.bytes
        file.missing = transfer.bytes.missing
        file.leftOut = transfer.bytes.leftOut
        file.hasEnd = transfer.hasEnded
        transfers[index].isDone = true
        transfers[index].bytes.bytes = []
        receiver(file)
    }
}
