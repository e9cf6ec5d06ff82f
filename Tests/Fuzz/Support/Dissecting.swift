import WeirDissect
import WeirWire

/// Reads a fuzzer's input as a capture; where it is none, as the bytes of one flow, in chunks both ways.
///
/// Whatever is said must be within what was given: ranges in order, within the stream, and a bounded number of fields.
///
/// - Parameters:
///   - start: The input.
///   - count: Counts its bytes.
///   - transport: What carries the flow.
///   - port: The server's port, which tells the protocol where the bytes do not.
///   - preamble: What both sides say before the input.
func dissect(
    _ start: UnsafePointer<UInt8>,
    _ count: Int,
    _ transport: Transport,
    port: UInt16,
    after preamble: [(Direction, String)] = []
) {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if !dissectCapture(input) { dissectFlow(input, transport, port, preamble) }
}

private func dissectCapture(_ file: [UInt8]) -> Bool {
    let window = file.span.bytes
    var reader = CaptureReader()
    var flows = CaptureFlows(limit: 64)
    var dissector = CaptureDissector(limit: 8)
    var packets = 0
    while let item = try? reader.next(in: window) {
        guard case .packet(let packet) = item else { continue }
        packets += 1
        let bytes = window.extracting(packet.range)
        flows.add(packet, bytes)
        dissector.add(packet, bytes, in: flows) { _, message in check(message, end: nil) }
    }
    dissector.finish { _, message in check(message, end: nil) }
    return packets > 0
}

private func dissectFlow(_ input: [UInt8], _ transport: Transport, _ port: UInt16, _ preamble: [(Direction, String)]) {
    var dissector = FlowDissector(transport, clientPort: 50_000, serverPort: port)
    var given = [0, 0]
    for (direction, text) in preamble {
        let bytes = Array(text.utf8)
        given[Int(direction.rawValue)] += bytes.count
        dissector.add(bytes.span.bytes, direction, at: 0) { check($0, end: nil) }
    }
    var offset = 0
    while offset + 1 < input.count {
        // A byte says how long the next chunk is, which way it goes, and whether a gap is before it.
        let control = input[offset]
        let direction: Direction = control & 1 == 0 ? .upstream : .downstream
        let length = min(control & 0x80 == 0 ? Int(control >> 1) : 1 << Int(control >> 4), input.count - offset - 1)
        let chunk = input.span.bytes.extracting((offset + 1)..<(offset + 1 + length))
        offset += 1 + length
        if transport == .tcp, control & 0x8f == 0x8f {
            given[Int(direction.rawValue)] += length
            dissector.skip(length, direction) { check($0, end: nil) }
        }
        given[Int(direction.rawValue)] += length
        let ends = given
        dissector.add(chunk, direction, at: Int64(offset)) { message in
            check(message, end: transport == .udp ? nil : ends[Int(message.direction.rawValue)])
        }
    }
    dissector.finish { check($0, end: nil) }
}

private func check(_ message: Message, end: Int?) {
    precondition(message.range.lowerBound >= 0, "a message is in the stream")
    if let end { precondition(message.range.upperBound <= end, "a message has come") }
    precondition(message.fields.count <= 512 && message.summary.string.utf8.count <= 1024, "what is said is bounded")
    for field in message.fields {
        precondition(field.range.lowerBound >= 0, "a field is in the stream")
        if case .text(let text) = field.value { precondition(text.utf8.count <= 3 * 1024 + 512, "a value is bounded") }
    }
    precondition(message.summary.string.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }, "is safe")
}
