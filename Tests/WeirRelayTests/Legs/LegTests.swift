import CWeir
import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("A leg", .tags(.network), .timeLimit(.minutes(1)))
struct LegTests {
    private static let input = UInt32(WEIR_IN)
    private static let output = UInt32(WEIR_OUT)
    private static let end = UInt32(WEIR_RDHUP)

    /// Makes two connected sockets that do not block: one for a leg, and the far one.
    private static func pair() throws -> (near: Int32, far: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// Reads once into so much room, and says what came.
    private static func read(_ leg: inout Leg, _ count: Int) -> String {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { room.deallocate() }
        switch leg.read(into: room) {
        case .bytes(let count, let isLast):
            return String(decoding: room[..<count], as: UTF8.self) + (isLast ? ", the last" : "")
        case .wouldBlock: return "would block"
        case .end: return "end"
        case .failed(let error): return "\(error)"
        }
    }

    /// Writes until the kernel takes no more, and returns how much it has taken.
    private static func fill(_ leg: inout Leg) -> Int {
        let bytes = [UInt8](repeating: 7, count: 100_000)
        var sum = 0
        while leg.isWritable {
            let (count, error) = bytes.withUnsafeBytes { leg.write($0) }
            #expect(error == nil)
            sum += count
        }
        return sum
    }

    private static func isOpen(_ raw: Int32) -> Bool { fcntl(raw, F_GETFD) >= 0 }

    @Test("It has a descriptor from opening to closing, or gives it away with all that is known of it")
    func opens() throws {
        var leg = Leg()
        var states = [leg.isOpen]
        #expect(leg.unread == 0)
        let (near, far) = try Self.pair()
        defer { close(far) }
        leg = Leg(Descriptor(owning: near))
        states += [leg.isOpen, leg.isWritable, leg.isReadable, leg.isEstablishing]
        #expect(states == [false, true, true, false, false])
        _ = leg.note(Self.input)
        var other = leg.take()
        states = [leg.isOpen, leg.isReadable, other.isOpen, other.isReadable, Self.isOpen(near)]
        #expect(states == [false, false, true, true, true])
        other.close()
        states = [other.isOpen, Self.isOpen(near)]
        #expect(states == [false, false])
    }

    @Test("It can be read while it is to be, something is there, and it has not ended")
    func canRead() {
        for number in 0..<8 {
            var leg = Leg()
            (leg.isReading, leg.isReadable, leg.hasEnded) = (number & 1 != 0, number & 2 != 0, number & 4 != 0)
            let canRead = leg.canRead
            #expect(canRead == (number == 3))
        }
    }

    @Test("Bytes that fill less than the room are all there are, unless an end is behind them")
    func reads() throws {
        let (near, far) = try Self.pair()
        defer { close(far) }
        var leg = Leg(Descriptor(owning: near))
        var readable: [Bool] = []
        func send(_ text: String) { #expect(write(far, text, text.utf8.count) == text.utf8.count) }
        send("abc")
        var news = [leg.note(Self.input)]
        readable.append(leg.isReadable)
        #expect(leg.unread == 3)
        #expect(Self.read(&leg, 3) == "abc")
        readable.append(leg.isReadable)
        #expect(Self.read(&leg, 3) == "would block")
        readable.append(leg.isReadable)
        send("de")
        news.append(leg.note(Self.input | Self.output))
        #expect(Self.read(&leg, 3) == "de")
        readable.append(leg.isReadable)
        news.append(leg.note(Self.output))
        readable.append(leg.isReadable)
        news.append(leg.note(0))
        readable.append(leg.isReadable)
        send("fg")
        shutdown(far, Int32(SHUT_WR))
        news.append(leg.note(Self.end))
        readable.append(leg.isReadable)
        #expect(Self.read(&leg, 1) == "f")
        #expect(Self.read(&leg, 3) == "g, the last")
        readable.append(leg.isReadable)
        #expect(Self.read(&leg, 3) == "end")
        #expect(readable == [true, true, false, false, false, false, true, true])
        // It could be written all the time.
        #expect(news == [false, false, false, false, false])
    }

    @Test(
        "An end beside an error is not known to be all that is behind the bytes",
        arguments: [WEIR_ERR, WEIR_HUP, WEIR_PRI]
    )
    func endsBehind(_ event: Int) throws {
        let (near, far) = try Self.pair()
        defer { close(far) }
        var leg = Leg(Descriptor(owning: near))
        #expect(write(far, "abc", 3) == 3)
        _ = leg.note(Self.end | UInt32(event))
        #expect(Self.read(&leg, 5) == "abc")
        let isReadable = leg.isReadable
        #expect(isReadable)
    }

    @Test("An abort is noted once, and what is behind it is read")
    func aborts() throws {
        let (near, far) = try Self.pair()
        defer { close(far) }
        var leg = Leg(Descriptor(owning: near))
        var states = [leg.hasAborted, leg.noteAbort(), leg.hasAborted, leg.isReadable, leg.noteAbort(), leg.hasAborted]
        #expect(states == [false, true, true, true, false, true])
        #expect(write(far, "abc", 3) == 3)
        #expect(Self.read(&leg, 5) == "abc")
        states = [leg.isReadable]
        #expect(states == [true])
    }

    @Test("What the kernel does not take waits until there is room, which is news once")
    func writes() throws {
        let (near, far) = try Self.pair()
        defer { close(far) }
        var leg = Leg(Descriptor(owning: near))
        let taken = Self.fill(&leg)
        var count = [UInt8(1)].withUnsafeBytes { leg.write($0).count }
        #expect(taken > 0 && count == 0)
        // News of room that is not there is worth one try.
        var news = [leg.note(Self.input), leg.note(Self.output), leg.isWritable, leg.note(Self.output)]
        #expect(news == [false, true, true, false])
        let (none, error) = [UInt8](repeating: 1, count: 1 << 20).withUnsafeBytes { leg.write($0) }
        news = [leg.isWritable]
        #expect(none == 0 && error == nil && news == [false])
        var room = [UInt8](repeating: 0, count: 1 << 20)
        var received = 0
        while case let part = recv(far, &room, room.count, Int32(MSG_DONTWAIT)), part > 0 { received += part }
        #expect(received == taken)
        _ = leg.note(Self.output)
        count = Array("abc".utf8).withUnsafeBytes { leg.write($0).count }
        news = [leg.isWritable]
        #expect(count == 3 && news == [true])
        #expect(recv(far, &room, 5, 0) == 3)
    }

    @Test("A write to a peer that has gone fails, and so does a read where it is no socket")
    func fails() throws {
        let (near, far) = try Self.pair()
        close(far)
        var leg = Leg(Descriptor(owning: near))
        let (count, error) = Array("abc".utf8).withUnsafeBytes { leg.write($0) }
        let isWritable = leg.isWritable
        #expect(count == 0 && error == ErrorNumber(EPIPE) && !isWritable)
        var other = Leg(Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
        #expect(Self.read(&other, 5) == "\(ErrorNumber(ENOTSOCK))")
    }

    // MARK: - TCP

    /// Connects a leg to a server, and returns the server's end, and the leg's descriptor for the kernel's own view of it.
    private static func connect(_ leg: inout Leg) throws -> (peer: TCPPeer, raw: Int32) {
        let server = try TCPServer()
        var raw: Int32 = -1
        let error = leg.dial(
            try Socket.make(.tcp, for: .loopbackV4),
            to: server.endpoint,
            keepalive: nil,
            hasBytes: false
        ) {
            raw = $0
            return false
        }
        #expect(error == nil)
        let peer = try server.accept()
        #expect(advance(&leg, output) == "established" && peer.remote == leg.local && leg.peer == server.endpoint)
        return (peer, raw)
    }

    private static func advance(_ leg: inout Leg, _ events: UInt32, isOwnEnd: Bool = false) -> String {
        let step = leg.advance(events, isOwnEnd: isOwnEnd)
        return switch step {
        case .waits: "waits"
        case .established(nil): "established"
        case .established(let error?): "established, then \(error)"
        case .failed(let error): "failed: \(error)"
        }
    }

    @Test("A dial waits until the kernel has connected it")
    func dials() throws {
        var leg = Leg()
        let server = try TCPServer()
        let error = leg.dial(
            try Socket.make(.tcp, for: .loopbackV4),
            to: server.endpoint,
            keepalive: .seconds(60),
            hasBytes: true
        ) { _ in false }
        var states = [error == nil, leg.isOpen, leg.isEstablishing]
        #expect(states == [true, true, true])
        #expect(Self.advance(&leg, 0) == "waits" && Self.advance(&leg, Self.input) == "waits")
        states = [leg.isEstablishing]
        #expect(states == [true])
        #expect(Self.advance(&leg, Self.output | Self.input) == "established")
        states = [leg.isEstablishing, leg.isOpen, leg.cookie != 0]
        #expect(states == [false, true, true])
        #expect(leg.peer == server.endpoint)
    }

    @Test("A dial that is refused, or that reaches itself, has failed; one that is reset was there before")
    func failedDials() throws {
        let closed = try TCPServer().endpoint
        for isOwnEnd in [false, true] {
            var leg = Leg()
            _ = leg.dial(
                try Socket.make(.tcp, for: .loopbackV4),
                to: closed,
                keepalive: nil,
                hasBytes: false
            ) { _ in false }
            let events = isOwnEnd ? Self.output : UInt32(WEIR_ERR | WEIR_HUP)
            #expect(Self.advance(&leg, events, isOwnEnd: isOwnEnd) == "failed: \(ErrorNumber.connectionRefused)")
        }
        let server = try TCPServer()
        var leg = Leg()
        var raw: Int32 = -1
        _ = leg.dial(
            try Socket.make(.tcp, for: .loopbackV4),
            to: server.endpoint,
            keepalive: nil,
            hasBytes: false
        ) {
            raw = $0
            return false
        }
        try server.accept().reset()
        var state = pollfd(fd: raw, events: 0, revents: 0)
        #expect(poll(&state, 1, 10_000) == 1 && Int32(state.revents) & POLLERR != 0)
        let events = UInt32(WEIR_ERR | WEIR_HUP) | Self.output
        #expect(Self.advance(&leg, events) == "established, then \(ErrorNumber.connectionReset)")
    }

    @Test("A dial whose egress port another connection to the server has gets one from the kernel")
    func takenPort() throws {
        let server = try TCPServer()
        var first = Leg()
        var second = Leg()
        var port: UInt16 = 0
        func bind(_ raw: Int32) -> Bool {
            Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: raw)
            return (try? Socket.bind(raw, to: Endpoint(address: .loopbackV4, port: port), attempt: "bind")) != nil
        }
        func dial(_ leg: inout Leg) throws -> ErrorNumber? {
            let socket = try Socket.make(.tcp, for: .loopbackV4)
            return leg.dial(socket, to: server.endpoint, keepalive: nil, hasBytes: false, bind: bind)
        }
        var error = try dial(&first)
        #expect(error == nil)
        port = first.local?.port ?? 0
        error = try dial(&second)
        let other = second.local?.port ?? 0
        #expect(error == nil && port != 0 && other != 0 && other != port)
        let isEstablishing = second.isEstablishing
        #expect(isEstablishing)
    }

    @Test("A reset ends the other side, and an end leaves what was sent")
    func resets() throws {
        var leg = Leg()
        let (peer, _) = try Self.connect(&leg)
        #expect(leg.pendingError == nil)
        leg.reset()
        let isOpen = leg.isOpen
        #expect(!isOpen)
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        let (other, _) = try Self.connect(&leg)
        let count = Array("abc".utf8).withUnsafeBytes { leg.write($0, finishesNext: true).count }
        leg.finish()
        #expect(count == 3)
        #expect(try other.receiveToEnd() == (Array("abc".utf8), .end))
    }

    @Test("What the other side's kernel has not taken is unsent, without the end that is behind it")
    func unsent() throws {
        var leg = Leg()
        let (peer, raw) = try Self.connect(&leg)
        let (past, due, deadline) = (Instant(nanoseconds: 9), Instant(nanoseconds: 10), Deadline())
        var isSettled = leg.isSettled(by: due, now: past)
        #expect(leg.unsent == 0 && leg.unsentAtReset == 0 && isSettled)
        let taken = Self.fill(&leg)
        #expect(leg.unsent > 0 && leg.unsent <= taken)
        isSettled = leg.isSettled(by: due, now: past)
        #expect(!isSettled)
        // The window is closed: what is on the way there arrives soon, and then no more is to be waited for.
        repeat { isSettled = leg.isSettled(by: due, now: due) } while !isSettled && !deadline.isOver
        #expect(isSettled && leg.unsentAtReset > 0)
        leg.finish()
        var end = 0
        repeat { end = Int(weir_unsent(raw)) - leg.unsent } while end != 1 && !deadline.isOver
        #expect(end == 1)
        withExtendedLifetime(peer) {}
    }
}
