import Foundation
import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirSinks
import WeirWire

/// The table `queries.tsv`: inputs, and queries with their verdicts.
enum QueryTable {
    /// One thing that happens to a flow.
    enum Step: Hashable {
        case sent(Direction, [UInt8])
        case wait(milliseconds: Int64)
        case finished
        case reset(Direction)
        case refused
    }

    /// What happens to one flow.
    struct Input: Hashable {
        var transport: Transport
        var port: UInt16
        var steps: [Step]
    }

    /// A query with the verdicts on an input; nil where the query is refused.
    struct Row: Hashable, CustomTestStringConvertible {
        var query: String
        var input: String
        var inCapture: Bool?
        var live: Bool?

        var testDescription: String { "\(query): \(input)" }
    }

    static let inputs: [String: Input] = {
        var inputs: [String: Input] = [:]
        for line in lines where line.hasPrefix("= ") {
            let parts = line.dropFirst(2).split(separator: "\t", maxSplits: 1)
            guard parts.count == 2, let input = input(parts[1]) else { continue }
            inputs[String(parts[0])] = input
        }
        return inputs
    }()

    static let rows: [Row] = lines.filter { !$0.hasPrefix("= ") && !$0.hasPrefix("#") && !$0.isEmpty }.map { line in
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) + ["", "", ""]
        return Row(query: parts[0], input: parts[1], inCapture: verdict(parts[2]), live: verdict(parts[3]))
    }

    private static let lines: [String] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("queries.tsv")
            .path
        let bytes = (try? TemporaryFolder.read(path)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }()

    private static func verdict(_ text: String) -> Bool? { text == "-" ? nil : text == "yes" }

    private static func input(_ text: Substring) -> Input? {
        let parts = text.components(separatedBy: " | ")
        let head = parts[0].split(separator: " ")
        guard head.count == 2, let transport = Transport(String(head[0])), let port = UInt16(head[1]) else {
            return nil
        }
        return Input(transport: transport, port: port, steps: parts.dropFirst().compactMap(step))
    }

    private static func step(_ text: String) -> Step? {
        switch text {
        case "fin": return .finished
        case "rst >": return .reset(.upstream)
        case "rst <": return .reset(.downstream)
        case "refused": return .refused
        default: break
        }
        if text.hasPrefix("wait ") { return Int64(text.dropFirst(5)).map { .wait(milliseconds: $0) } }
        return .sent(text.hasPrefix("<") ? .downstream : .upstream, unescaped(text.dropFirst(2)))
    }

    private static func unescaped(_ text: Substring) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch Unicode.Scalar(kind) {
            case "r": bytes.append(13)
            case "n": bytes.append(10)
            case "x":
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: bytes.append(kind)
            }
        }
        return bytes
    }
}

extension QueryTable.Input {
    /// Returns whether a query wants the flow, in a capture of its packets; the client's program is curl.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - byMessages: Whether it gets what a log without bytes has of messages, in place of the packets.
    /// - Returns: Whether it wants the flow.
    func matches(_ query: FlowQuery, byMessages: Bool = false) -> Bool {
        var capture = ViewCapture()
        var reader = CaptureQuery(query)
        var dissector = CaptureDissector(wantsFields: false)
        func take(_ message: Message) {
            var logged = Message()
            (logged.name, logged.direction, logged.range) = (message.name, message.direction, message.range)
            (logged.time, logged.summary, logged.isComplete) = (message.time, message.summary, message.isComplete)
            (logged.answer, logged.isRequest, logged.facts) = (message.answer, message.isRequest, message.facts)
            reader.add(logged, of: 0)
        }
        for (packet, time) in zip(packets, times) {
            let captured = capture.add(packet, at: time)
            reader.begin(["x; process curl/4711 user alice"], in: capture.flows, FlowRows())
            if byMessages {
                dissector.add(captured, packet.span.bytes, in: capture.flows) { take($1) }
            } else {
                reader.add(captured, packet.span.bytes, in: capture.flows)
            }
        }
        if byMessages { dissector.finish { take($1) } }
        reader.finish()
        return reader.matches(FlowRow(number: 1, place: 0, flow: capture.flows.table[0]))
    }

    /// The packets of the flow.
    var packets: [[UInt8]] {
        var (packets, next) = ([[UInt8]](), [UInt16(0), UInt16(0)])
        func add(_ direction: Direction, _ flags: UInt8, _ text: [UInt8] = []) {
            let (source, target) = ((UInt8(1), UInt16(40_000)), (UInt8(2), port))
            let ends = direction == .upstream ? (source, target) : (target, source)
            if transport == .udp { return packets.append(ViewCapture.datagram(ends.0, ends.1, text)) }
            let side = Int(direction.rawValue)
            packets.append(ViewCapture.segment(ends.0, ends.1, flags, number: next[side], text))
            next[side] += UInt16(text.count) + (flags & 3 == 0 ? 0 : 1)
        }
        if transport == .tcp {
            add(.upstream, 2)
            if !steps.contains(.refused) { add(.downstream, 0x12) }
        }
        for step in steps {
            switch step {
            case .sent(let direction, let bytes): add(direction, 0x18, bytes)
            case .finished where transport == .tcp: for direction in Direction.allCases { add(direction, 0x11) }
            case .finished, .wait: break
            case .reset(let direction): add(direction, 0x14)
            case .refused: add(.downstream, 0x14)
            }
        }
        return packets
    }

    /// The times of the packets.
    private var times: [Int64] {
        var (times, time) = ([Int64](), Int64(1_700_000_000_000_000_000))
        func add(_ count: Int) {
            for _ in 0..<count {
                time += 1_000_000
                times.append(time)
            }
        }
        if transport == .tcp { add(steps.contains(.refused) ? 1 : 2) }
        for step in steps {
            switch step {
            case .sent, .reset, .refused: add(1)
            case .finished: add(transport == .tcp ? 2 : 0)
            case .wait(let milliseconds): time += milliseconds * 1_000_000
            }
        }
        return times
    }

    /// Returns whether anything of the flow is shown live; the client's program is curl, and the route's name is web.
    func isShown(_ query: FlowQuery) throws -> Bool {
        let path = FlowPath(
            client: try #require(Endpoint("10.0.0.1:40000")),
            listener: try #require(Endpoint("10.0.0.9:\(port)")),
            egress: Endpoint("10.0.0.3:50000"),
            server: Endpoint("10.0.0.2:\(port)")
        )
        var live = LiveQuery<Int>(query) { _, _ in "web" }
        var (messages, isShown) = (FlowMessages(.fields), false)
        var (time, sent) = (ManualClock.start, [UInt64(0), UInt64(0)])
        let process = ProcessAnswer.found(ClientProcess(identifier: 4711, name: "curl", user: "alice"))
        func take(_ happening: FlowRecord.Happening, _ bytes: [UInt8] = []) {
            time.wallNanoseconds += 1_000_000
            let record = FlowRecord(
                flow: FlowID(1),
                transport: transport,
                path: path,
                moment: time,
                happening: happening
            )
            var read: [FlowRecord] = []
            messages.read(record, bytes.span.bytes) { message in
                read.append(FlowRecord(of: record.subject, moment: time, happening: .message(message)))
            }
            for message in read { judge(message, []) }
            judge(record, bytes)
        }
        func judge(_ record: FlowRecord, _ bytes: [UInt8]) {
            let fits = live.take(
                record,
                bytes.span.bytes,
                process: { process },
                keep: { (0, bytes.count) },
                show: { _ in isShown = true }
            )
            if fits { isShown = true }
        }
        func close(_ reason: CloseReason) {
            var (up, down) = (Counters(), Counters())
            (up.bytes, down.bytes) = (sent[0], sent[1])
            let duration = Duration.nanoseconds(time.wallNanoseconds - ManualClock.start.wallNanoseconds)
            take(.closed(CloseRecord(reason: reason, upstream: up, downstream: down, duration: duration)))
        }
        take(.opened)
        for step in steps {
            switch step {
            case .sent(let direction, let bytes):
                let side = Int(direction.rawValue)
                take(chunk(direction, at: sent[side], bytes.count), bytes)
                sent[side] += UInt64(bytes.count)
            case .wait(let milliseconds): time.wallNanoseconds += milliseconds * 1_000_000
            case .finished:
                take(.ended(.upstream))
                take(.ended(.downstream))
                close(.finished)
            case .reset(let direction): close(direction == .upstream ? .clientReset : .serverReset)
            case .refused:
                take(.refused(.connectionRefused))
                close(.refused)
            }
        }
        return isShown
    }
}

extension ViewCapture {
    /// Makes a datagram between hosts of 10.0.0.0/24, with any bytes.
    static func datagram(_ source: (UInt8, UInt16), _ target: (UInt8, UInt16), _ payload: [UInt8]) -> [UInt8] {
        ip(17, source.0, target.0, [source.1, target.1, UInt16(8 + payload.count), 0].flatMap(pair) + payload)
    }

    /// Makes a segment between hosts of 10.0.0.0/24, with any bytes.
    static func segment(
        _ source: (UInt8, UInt16),
        _ target: (UInt8, UInt16),
        _ flags: UInt8,
        number: UInt16,
        _ payload: [UInt8]
    ) -> [UInt8] {
        let head = [source.1, target.1, 0, number, 0, 1].flatMap(pair)
        return ip(6, source.0, target.0, head + [0x50, flags, 1, 0, 0, 0, 0, 0] + payload)
    }

    private static func pair(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
}
