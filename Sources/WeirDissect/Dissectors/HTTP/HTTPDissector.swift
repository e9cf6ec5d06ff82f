import WeirWire

/// A dissector of HTTP/1: requests, answers and their bodies' lengths, also chunked, pipelined or in datagrams (HTTPU).
///
/// Bytes after an upgrade are read as WebSocket or as the protocol that they look like; so is a tunnel of CONNECT.
///
/// Source: RFC 9112; RFC 9110 for the header fields.
struct HTTPDissector: Dissector {
    static let description = DissectorDescription(
        name: "http",
        summary: "HTTP/1 requests and answers, chunked bodies, upgrades, tunnels",
        transports: [.tcp, .udp],
        ports: [80, 8080, 8000, 8008, 8081, 3128, 631, 1900],
        fields: HTTPFields.all
    )

    /// The progress of reading one direction.
    struct Side {
        /// The lines of the head, or between chunks.
        var lines = HTTPLines()
        var phase = Phase.head
        /// The number of bytes of a chunked body.
        var body = 0
        var isRequest = false
    }

    enum Phase {
        case head
        case chunk
        case trailer
    }

    /// A request that is not answered yet.
    struct Request {
        var number: UInt64
        var isHead = false
        var isConnect = false
        var isUpgrade = false
    }

    var sides = [Side(), Side()]
    var open: [Request] = []
    private var requests: UInt64 = 0
    private static let openLimit = OpenRequests.limit
    /// The maximum length of the lines between the chunks of a body, in bytes.
    private static let longestChunkLine = 8 << 10

    init() {}

    mutating func lose(_ direction: Direction) {
        sides[Int(direction.rawValue)] = Side()
        open.removeAll()
    }

    mutating func parse(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        let side = Int(place.direction.rawValue)
        switch sides[side].phase {
        case .head: return parseHead(bytes, place, side, into: &message)
        case .chunk: return parseChunk(bytes, side, into: &message)
        case .trailer: return parseTrailer(bytes, side, into: &message)
        }
    }

    /// Reads as much of a head as there is, if no more will arrive.
    mutating func conclude(_ bytes: RawSpan, _ place: MessagePlace, into message: inout DissectedMessage) {
        let side = Int(place.direction.rawValue)
        guard case .head = sides[side].phase, bytes.find(UInt8(ascii: "\n"), from: 0) != nil,
            let head = HTTPHead(bytes, bytes.byteCount, into: &message)
        else { return }
        describe(head, bodyBytes: nil, into: &message)
    }

    // MARK: - Heads

    private mutating func parseHead(
        _ bytes: RawSpan,
        _ place: MessagePlace,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        if waits(for: place.direction, bytes) { return .wait }
        if sides[side].lines.start == 0, !sides[side].lines.hasBegun {
            // Empty lines before a request are skipped. Source: RFC 9112 section 2.2.
            if bytes.has("\r\n") { return .skip(2) }
            if bytes.byteCount == 1, bytes.has("\r") { return .more(2) }
            guard HTTPHead.canBegin(bytes) else { return .giveUp }
        }
        guard let end = findHeadEnd(bytes, side) else {
            // Nothing of this datagram may be remembered for the next one.
            if place.transport == .udp { sides[side] = Side() }
            return .more(bytes.byteCount + 1)
        }
        guard let head = HTTPHead(bytes, end, into: &message) else {
            sides[side] = Side()
            return .giveUp
        }
        sides[side] = Side()
        return place.transport == .udp
            ? finishDatagram(head, bytes, into: &message) : begin(head, end, side, into: &message)
    }

    /// Finds the end of the empty line after a head.
    private mutating func findHeadEnd(_ bytes: RawSpan, _ side: Int) -> Int? {
        while let line = sides[side].lines.next(in: bytes) {
            // A request of HTTP/0.9 is one line. Source: RFC 1945 section 4.1.
            let isFirst = line.content.lowerBound == 0
            if line.content.isEmpty || isFirst && HTTPHead.isSimple(bytes, line.content) { return line.end }
        }
        return nil
    }

    private mutating func begin(
        _ head: HTTPHead,
        _ end: Int,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        let request = head.isRequest ? nil : answered(head)
        setRole(head, request, into: &message)
        sides[side].isRequest = head.isRequest
        switch head.body(answering: request) {
        case .none:
            describe(head, bodyBytes: 0, into: &message)
            if let request, head.status == 101 || request.isConnect && (200..<300).contains(head.status) {
                message.handOver = head.status == 101 && head.framing.isWebSocket ? .to(WebSocketDissector()) : .unknown
            }
            return .message(end)
        case .bytes(let count):
            describe(head, bodyBytes: count, into: &message)
            message.add(HTTPFields.body, end..<(end &+ count), .number(UInt64(count)))
            message.looked = end
            return .message(end &+ count)
        case .rest:
            describe(head, bodyBytes: nil, into: &message)
            message.looked = end
            return .rest
        case .chunked:
            describe(head, bodyBytes: nil, into: &message)
            sides[side].phase = .chunk
            return .skip(end)
        }
    }

    private mutating func finishDatagram(
        _ head: HTTPHead,
        _ bytes: RawSpan,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        describe(head, bodyBytes: 0, into: &message)
        return .message(bytes.byteCount)
    }

    // MARK: - Chunks

    /// Source: RFC 9112 section 7.1.
    private mutating func parseChunk(
        _ bytes: RawSpan,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let line = sides[side].lines.next(in: bytes) else {
            return bytes.byteCount < Self.longestChunkLine ? .more(bytes.byteCount + 1) : .lost
        }
        sides[side].lines = HTTPLines()
        guard let size = HTTPChunkLine(bytes, line.content)?.size, size <= HTTPHead.longestBody else { return .lost }
        if size == 0 {
            sides[side].phase = .trailer
            return .skip(line.end)
        }
        sides[side].body = min(sides[side].body &+ size, HTTPHead.longestBody)
        message.looked = line.end
        return .skip(line.end + size + 2)
    }

    private mutating func parseTrailer(
        _ bytes: RawSpan,
        _ side: Int,
        into message: inout DissectedMessage
    ) -> DissectionStep {
        guard let line = sides[side].lines.next(in: bytes) else {
            return bytes.byteCount < Self.longestChunkLine ? .more(bytes.byteCount + 1) : .lost
        }
        sides[side].lines = HTTPLines()
        guard line.content.isEmpty else { return .skip(line.end) }
        message.summary.append(", ")
        message.summary.append(bytes: sides[side].body)
        message.summary.append(" in chunks")
        sides[side] = Side()
        return .message(line.end)
    }
}

// MARK: - Requests and their answers

extension HTTPDissector {
    /// Returns whether a direction must wait for an answer that can change the protocol.
    private func waits(for direction: Direction, _ bytes: RawSpan) -> Bool {
        guard let last = open.last, last.isUpgrade || last.isConnect else { return false }
        return !bytes.agrees(with: "HTTP/1.")
    }

    /// Removes and returns the request that a head answers.
    private mutating func answered(_ head: HTTPHead) -> Request? {
        // Answers of 1xx, except 101, come before the final answer. Source: RFC 9110 section 15.2.
        guard let first = open.first, head.status >= 200 || head.status == 101 else { return nil }
        open.removeFirst()
        return first
    }

    private mutating func setRole(_ head: HTTPHead, _ request: Request?, into message: inout DissectedMessage) {
        if let request { message.role = .answer(request.number) }
        guard head.isRequest else { return }
        message.role = .request(requests)
        if open.count == Self.openLimit { open.removeFirst() }
        open.append(
            Request(
                number: requests,
                isHead: head.isHead,
                isConnect: head.isConnect,
                isUpgrade: head.framing.hasUpgrade
            )
        )
        requests &+= 1
    }

    private func describe(_ head: HTTPHead, bodyBytes: Int?, into message: inout DissectedMessage) {
        head.describe(into: &message)
        guard let bodyBytes, bodyBytes > 0 else { return }
        message.summary.append(", ")
        message.summary.append(bytes: bodyBytes)
    }
}

// MARK: - Recognition

extension HTTPDissector {
    static func recognize(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        if bytes.agrees(with: "HTTP/1.") {
            guard bytes.byteCount >= 9 else { return start.transport == .tcp ? .more(9) : .no }
            return bytes.byte(at: 8) == UInt8(ascii: " ") ? .yes : .no
        }
        return recognizeRequest(bytes, start)
    }

    private static func recognizeRequest(_ bytes: RawSpan, _ start: DissectionStart) -> Recognition {
        guard let first = bytes.byte(at: 0), first >= 0x41, first <= 0x5a, HTTPHead.canBegin(bytes) else { return .no }
        // No method is longer than 24 bytes.
        guard let blank = bytes.find(UInt8(ascii: " "), in: 0..<25) else { return .more(min(bytes.byteCount + 1, 25)) }
        var lines = HTTPLines()
        guard let line = lines.next(in: bytes) else {
            let target = HTTPText.skippingBlanks(bytes, blank..<bytes.byteCount)
            let isTarget = bytes.byte(at: target) == UInt8(ascii: "/") || bytes.has("http", at: target)
            guard isTarget || bytes.byteCount == target else { return .maybe }
            return bytes.byteCount < 16 ? .more(16) : methods.contains { bytes.has($0) } ? .yes : .maybe
        }
        let target = blank..<(line.end - 1)
        if contains(" HTTP/1.", bytes, target) { return start.transport == .tcp || first != 0 ? .yes : .no }
        // Protocols with similar lines, such as SIP and RTSP.
        if contains(" SIP/", bytes, target) || contains(" RTSP/", bytes, target) { return .no }
        return HTTPHead.isSimple(bytes, line.content) ? .maybe : .no
    }

    private static let methods: [StaticString] = [
        "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ",
    ]

    /// Returns whether a text is among the last 24 bytes of a line, the place of the version.
    private static func contains(_ text: StaticString, _ bytes: RawSpan, _ line: Range<Int>) -> Bool {
        (max(line.lowerBound, line.upperBound - 24)..<line.upperBound).contains { bytes.has(text, at: $0) }
    }
}
