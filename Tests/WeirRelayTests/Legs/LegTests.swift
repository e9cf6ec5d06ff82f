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

    @Test("It has a descriptor from opening to closing, or gives it up open")
    func opens() throws {
        var leg = Leg()
        var states = [leg.isOpen]
        let nothing = leg.release()
        #expect(leg.raw == -1 && leg.unread == 0)
        #expect(nothing == -1)
        let (near, far) = try Self.pair()
        defer { close(far) }
        leg.open(Descriptor(owning: near))
        states.append(leg.isOpen)
        let (raw, isWritable, isReadable) = (leg.raw, leg.isWritable, leg.isReadable)
        #expect(raw == near && isWritable && !isReadable)
        let released = leg.release()
        states.append(leg.isOpen)
        #expect(released == near && Self.isOpen(near))
        leg.open(Descriptor(owning: near))
        leg.close()
        states.append(leg.isOpen)
        #expect(states == [false, true, false, false] && !Self.isOpen(near))
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
        var leg = Leg()
        leg.open(Descriptor(owning: near))
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
        var leg = Leg()
        leg.open(Descriptor(owning: near))
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
        var leg = Leg()
        leg.open(Descriptor(owning: near))
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
        var leg = Leg()
        leg.open(Descriptor(owning: near))
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
        var leg = Leg()
        leg.open(Descriptor(owning: near))
        let (count, error) = Array("abc".utf8).withUnsafeBytes { leg.write($0) }
        let isWritable = leg.isWritable
        #expect(count == 0 && error == ErrorNumber(EPIPE) && !isWritable)
        var other = Leg()
        other.open(Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
        #expect(Self.read(&other, 5) == "\(ErrorNumber(ENOTSOCK))")
    }

    // MARK: - TCP

    /// Connects a leg to a server, and returns the server's end.
    private static func connect(_ leg: inout Leg) throws -> TCPPeer {
        let server = try TCPServer()
        let socket = try Socket.make(.tcp, for: .loopbackV4)
        try #require(Socket.connect(socket.raw, to: server.endpoint) == nil)
        leg.open(socket)
        return try server.accept()
    }

    @Test("A reset ends the other side, and an end leaves what was sent")
    func resets() throws {
        var leg = Leg()
        let peer = try Self.connect(&leg)
        #expect(leg.pendingError == nil)
        leg.reset()
        let isOpen = leg.isOpen
        #expect(!isOpen)
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        let other = try Self.connect(&leg)
        let count = Array("abc".utf8).withUnsafeBytes { leg.write($0, finishesNext: true).count }
        leg.finish()
        #expect(count == 3)
        #expect(try other.receiveToEnd() == (Array("abc".utf8), .end))
    }

    @Test("What the other side's kernel has not taken is unsent, without the end that is behind it")
    func unsent() throws {
        var leg = Leg()
        let peer = try Self.connect(&leg)
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
        repeat { end = Int(weir_unsent(leg.raw)) - leg.unsent } while end != 1 && !deadline.isOver
        #expect(end == 1)
        withExtendedLifetime(peer) {}
    }
}
