import WeirDissect
import WeirWire

/// Reads any bytes as the chunks of a live flow twice, whole and in the parts that were looked at: both must say the same.
///
/// The first byte chooses the port; of what follows a byte says how long the next chunk is, and which way it goes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let ports: [UInt16] = [80, 53, 443, 6379, 5432, 1883, 22, 4000]
    let finder = FlowDissector(.tcp, clientPort: 50_000, serverPort: ports[Int(first) % ports.count])
    var run = PartsRun(finder: finder, whole: finder, inParts: finder)
    var offset = 1
    while offset + 1 < input.count {
        let control = input[offset]
        let length = min(control & 0x80 == 0 ? Int(control >> 1) : 1 << Int(control >> 4), input.count - offset - 1)
        run.add(Array(input[(offset + 1)..<(offset + 1 + length)]), control & 1 == 0 ? .upstream : .downstream)
        offset += 1 + length
    }
    run.finish()
    return 0
}

/// One flow, read by three.
private struct PartsRun {
    var finder: FlowDissector
    var whole: FlowDissector
    var inParts: FlowDissector

    mutating func add(_ bytes: [UInt8], _ direction: Direction) {
        let parts = finder.parts(of: bytes.span.bytes, direction).parts
        let kept = parts.flatMap { bytes[$0] }
        var said: (whole: [String], inParts: [String]) = ([], [])
        whole.add(bytes.span.bytes, direction, at: 1) { said.whole.append(Self.line($0)) }
        inParts.add(kept.span.bytes, parts: parts, of: bytes.count, direction, at: 1) {
            said.inParts.append(Self.line($0))
        }
        precondition(said.whole == said.inParts, "the parts say what the chunk says")
    }

    mutating func finish() {
        var said: (whole: [String], inParts: [String]) = ([], [])
        whole.finish { said.whole.append(Self.line($0)) }
        inParts.finish { said.inParts.append(Self.line($0)) }
        precondition(said.whole == said.inParts, "the parts say what the chunk says, to the end")
    }

    private static func line(_ message: Message) -> String {
        "\(message.direction) \(message.range) \(message.summary.string) \(message.isComplete) \(message.fields.count)"
    }
}
