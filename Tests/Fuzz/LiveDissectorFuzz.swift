import WeirDissect
import WeirWire

/// Reads any bytes as the chunks of a live flow, of which those that are not wanted are left out.
///
/// The first byte chooses the port. Whatever comes, what is held is bounded, and what is wanted was never read before.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let file = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = file.first else { return 0 }
    let ports: [UInt16] = [80, 53, 443, 6379, 5432, 1883, 22, 514, 7, 4000]
    for (size, transport) in [(1, Transport.tcp), (7, .tcp), (file.count + 1, .tcp), (100, .udp)] {
        var run = LiveRun(transport, port: ports[Int(first) % ports.count])
        run.addChunks(of: Array(file.dropFirst()), size)
        run.finish()
    }
    return 0
}

/// One flow, and what has come of it.
private struct LiveRun {
    private var dissector: FlowDissector
    private let transport: Transport
    /// Counts the bytes that came, the upstream first.
    private var came = [0, 0]

    init(_ transport: Transport, port: UInt16) {
        self.transport = transport
        dissector = FlowDissector(transport, clientPort: 50_000, serverPort: port)
    }

    /// Adds the chunks that a file describes, cut into pieces: a zero byte and the next one's lowest bits say what follows.
    mutating func addChunks(of file: [UInt8], _ size: Int) {
        var direction = Direction.upstream
        var start = 0
        for index in file.indices {
            let turns = file[index] == 0x7F && index + 1 < file.count
            guard turns || index - start + 1 >= size || index == file.count - 1 else { continue }
            let end = turns ? index : index + 1
            add(file[start..<max(start, end)].span.bytes, direction)
            start = index + 1
            guard turns else { continue }
            switch file[index + 1] & 3 {
            case 0: direction = direction.opposite
            case 1: skip(Int(file[index + 1]), direction)
            case 2: pass(direction)
            default: break
            }
        }
    }

    mutating func add(_ bytes: RawSpan, _ direction: Direction) {
        let side = Int(direction.rawValue)
        came[side] += bytes.byteCount
        let (came, transport) = (came, transport)
        dissector.add(bytes, direction, at: 1) { Self.check($0, came, transport) }
        checkState()
    }

    private mutating func skip(_ count: Int, _ direction: Direction) {
        guard transport == .tcp else { return }
        came[Int(direction.rawValue)] += count
        let (came, transport) = (came, transport)
        dissector.skip(count, direction) { Self.check($0, came, transport) }
        checkState()
    }

    /// Leaves out what is not wanted.
    private mutating func pass(_ direction: Direction) {
        let side = Int(direction.rawValue)
        guard transport == .tcp else { return }
        let count = min(dissector.wanted(direction) - came[side], 100_000)
        guard count > 0 else { return }
        came[side] += count
        let (came, transport) = (came, transport)
        dissector.pass(count, direction, at: 2) { Self.check($0, came, transport) }
        checkState()
    }

    mutating func finish() {
        let (came, transport) = (came, transport)
        dissector.finish { Self.check($0, came, transport) }
    }

    private mutating func checkState() {
        precondition(dissector.heldBytes <= 2 * FlowDissector.heldLimit, "what is held is bounded")
        guard transport == .tcp else { return }
        for direction in Direction.allCases {
            let side = Int(direction.rawValue)
            let now = dissector.wanted(direction)
            precondition(now >= came[side], "what came was read, or is held")
        }
    }

    private static func check(_ message: Message, _ came: [Int], _ transport: Transport) {
        precondition(message.range.lowerBound >= 0, "a message begins in the stream")
        if transport == .tcp {
            precondition(message.range.upperBound <= came[Int(message.direction.rawValue)], "a message ends in time")
        }
        for byte in message.summary.utf8 { precondition(byte >= 0x20 && byte != 0x7F, "a summary is safe") }
        precondition(message.summary.utf8.count < 4096, "a summary is bounded")
        for field in message.fields { precondition(field.range.lowerBound >= 0, "a field begins in the stream") }
    }
}
