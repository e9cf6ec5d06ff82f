import Support
import Testing
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Looking for TLS in a flow")
struct TLSWatchTests {
    private static let hello: [UInt8] = {
        guard let end = try? TLSEnd(client: TLSContext(TLSSettings()), serverName: "example.test") else { return [] }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { room.deallocate() }
        end.receive(UnsafeRawBufferPointer(start: nil, count: 0), room: room)
        _ = end.handshake()
        return Array(end.outgoing)
    }()

    /// What became of chunks: the plain bytes of both directions, and the hello's bytes once there is one.
    private struct Outcome: Equatable {
        var up: [UInt8] = []
        var down: [UInt8] = []
        var hello: [UInt8]?
        var isHolding = false
    }

    /// Passes chunks through a watch, as a relay does.
    private static func run(_ chunks: [(Direction, [UInt8])], follows: Bool = true) -> (Outcome, TLSWatch) {
        var (watch, outcome) = (TLSWatch(followsServer: follows), Outcome())
        var waiting = chunks
        while !waiting.isEmpty {
            let (direction, chunk) = waiting.removeFirst()
            func pass() { if direction == .upstream { outcome.up += chunk } else { outcome.down += chunk } }
            switch watch.take(chunk.span.bytes, direction) {
            case .passes: pass()
            case .holds: break
            case .releases(let held):
                waiting.insert((.upstream, held), at: 0)
                if direction == .downstream { outcome.down += chunk }
            case .splits(let count):
                waiting.insert((direction, Array(chunk[count...])), at: 0)
                waiting.insert((direction, Array(chunk[..<count])), at: 0)
            case .begins(let gate, _): outcome.hello = gate.bytes
            }
        }
        outcome.isHolding = watch.isHolding
        return (outcome, watch)
    }

    private static func pieces(_ bytes: [UInt8], _ size: Int) -> [(Direction, [UInt8])] {
        stride(from: 0, to: bytes.count, by: size).map { (.upstream, Array(bytes[$0..<min($0 + size, bytes.count)])) }
    }

    @Test(
        "A ClientHello that comes first begins TLS, whatever the sizes of its pieces",
        arguments: Array(1...40) + [700]
    )
    func first(size: Int) {
        let (outcome, watch) = Self.run(Self.pieces(Self.hello, size))
        #expect(outcome == Outcome(hello: Self.hello))
        #expect(watch.plain == PlainBytes(upstream: 0, downstream: 0) && !Self.hello.isEmpty)
    }

    @Test("One right behind an answer begins TLS (STARTTLS); what went before is counted")
    func later() {
        let (question, answer) = (Array("STARTTLS\r\n".utf8), Array("220 Ready\r\n".utf8))
        let (outcome, watch) = Self.run([(.upstream, question), (.downstream, answer)] + Self.pieces(Self.hello, 100))
        #expect(outcome == Outcome(up: question, down: answer, hello: Self.hello))
        #expect(watch.plain == PlainBytes(upstream: 10, downstream: 11))
    }

    @Test("Plain text behind STARTTLS in one chunk goes on as plain text: no one can inject it into TLS")
    func injected() {
        let chunk = Array("STARTTLS\r\nRSET\r\n".utf8)
        let (outcome, _) = Self.run([(.upstream, chunk), (.downstream, [1]), (.upstream, Self.hello)])
        #expect(outcome.up == chunk && outcome.hello == Self.hello)
        // Neither is a hello TLS that other bytes of the client precede.
        let (behind, _) = Self.run([(.downstream, [1]), (.upstream, chunk), (.upstream, Self.hello)])
        #expect(behind == Outcome(up: chunk + Self.hello, down: [1]))
        let (joined, _) = Self.run([(.downstream, [1]), (.upstream, chunk + Self.hello)])
        #expect(joined == Outcome(up: chunk + Self.hello, down: [1]))
    }

    @Test("Bytes that only look like a ClientHello at first go on, all and in their order")
    func lookalike() {
        let text: [UInt8] = [22, 3, 1, 0, 5, 2, 7, 7, 7, 7, 9]
        for size in 1...text.count {
            let (outcome, _) = Self.run(Self.pieces(text, size))
            #expect(outcome == Outcome(up: text), "pieces of \(size)")
        }
        let (outcome, watch) = Self.run([(.upstream, [22, 3]), (.downstream, [5]), (.upstream, [1])])
        #expect(outcome == Outcome(up: [22, 3, 1], down: [5]) && !watch.isHolding)
        #expect(Self.run([(.upstream, [22, 3])]).0 == Outcome(isHolding: true))
    }

    @Test("What is held can be released, once")
    func release() {
        var watch = TLSWatch(followsServer: true)
        guard case .holds = watch.take(([22, 3, 1] as [UInt8]).span.bytes, .upstream) else {
            Issue.record("it is not held")
            return
        }
        #expect(watch.release() == [22, 3, 1] && watch.release().isEmpty && !watch.isHolding)
    }

    @Test("MySQL's client says that TLS follows, and waits for no answer")
    func mySQL() {
        let request: [UInt8] = [32, 0, 0, 1, 0x85, 0xAE, 0xFF, 0x19, 0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
        let greeting = (Direction.downstream, [UInt8](repeating: 10, count: 77))
        for chunks in [
            Self.pieces(request + Self.hello, 100_000), Self.pieces(request, 36) + Self.pieces(Self.hello, 50),
        ] {
            let (outcome, watch) = Self.run([greeting] + chunks)
            #expect(outcome == Outcome(up: request, down: greeting.1, hello: Self.hello))
            #expect(watch.plain == PlainBytes(upstream: 36, downstream: 77))
        }
        // Without the flag for TLS it is a login.
        var login = request
        login[5] = 0xA6
        let (outcome, _) = Self.run([greeting, (.upstream, login), (.upstream, Self.hello)])
        #expect(outcome == Outcome(up: login + Self.hello, down: greeting.1))
    }

    @Test("It ends after 64 KiB, and where the server is plain with the client's first bytes")
    func over() {
        let big = [UInt8](repeating: 7, count: 64 << 10)
        #expect(!Self.run([(.upstream, big)]).1.isOver)
        #expect(Self.run([(.upstream, big), (.downstream, [1])]).1.isOver)
        #expect(Self.run([(.upstream, [7])], follows: false).1.isOver)
        let (outcome, watch) = Self.run([(.downstream, [1]), (.upstream, Self.hello)], follows: false)
        #expect(outcome == Outcome(up: Self.hello, down: [1]) && watch.isOver)
        #expect(Self.run([(.upstream, Self.hello)], follows: false).0 == Outcome(hello: Self.hello))
    }
}
