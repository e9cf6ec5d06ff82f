import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("A conversation between an input, an output and a peer", .tags(.network), .timeLimit(.minutes(1)))
struct ConversationTests {
    /// The result of a conversation.
    private struct Ended: Sendable {
        var output: [UInt8]
        var records: [FlowRecord]
        var bytes: [[UInt8]]
        var error: String?

        /// The records in words: what happened, with counts where there are some.
        var happenings: [String] {
            records.map { record in
                switch record.happening {
                case .opened: "opened"
                case .forwarded(let chunk): "\(chunk.direction) \(chunk.number) @\(chunk.offset) (\(chunk.length))"
                case .ended(let direction, _): "\(direction) ended"
                case .dropped(let drop): "\(drop.direction) dropped \(drop.bytes) \(drop.datagrams) \(drop.reason)"
                case .refused(let error): "refused \(error.name)"
                case .closed(let close):
                    "closed \(close.reason) \(Self.text(close.upstream)) \(Self.text(close.downstream))"
                default: "\(record.happening)"
                }
            }
        }

        private static func text(_ counters: Counters) -> String {
            "\(counters.bytes)/\(counters.chunks)-\(counters.droppedBytes)/\(counters.droppedDatagrams)"
        }
    }

    /// Runs a conversation with what is written to its input, and returns how it ended.
    private static func run(
        _ transport: Transport,
        to endpoint: Endpoint,
        settings: Conversation.Settings = Conversation.Settings(),
        input: Int32,
        output: (end: Int32, reader: Int32?)? = nil
    ) throws -> Background<Ended> {
        signal(SIGPIPE, SIG_IGN)
        return try Background {
            var ends: [Int32] = [-1, -1]
            if let output { ends[1] = output.end } else { try #require(pipe(&ends) == 0) }
            let reading =
                ends[0] < 0
                ? nil
                : try Background { [end = ends[0]] in
                    var (all, part) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
                    while case let count = read(end, &part, part.count), count > 0 { all += part[..<count] }
                    close(end)
                    return all
                }
            var ended = Ended(output: [], records: [], bytes: [], error: nil)
            let connection = try Connector(transport, timeout: .seconds(5)).connect(to: [endpoint])
            let seen = Lock((records: [FlowRecord](), bytes: [[UInt8]]()))
            do throws(ConversationError) {
                var conversation = Conversation(connection, input: input, output: ends[1], settings: settings) {
                    record,
                    bytes in
                    let copy = bytes.withUnsafeBytes { Array($0) }
                    seen.withLock {
                        $0.records.append(record)
                        if record.happening.chunk != nil { $0.bytes.append(copy) }
                    }
                }
                try conversation.run()
            } catch {
                ended.error = error.description
            }
            (ended.records, ended.bytes) = seen.withLock { $0 }
            if output == nil { close(ends[1]) }
            if let reading { ended.output = try reading.value() }
            return ended
        }
    }

    private static func makePipe() throws -> (input: Int32, end: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    private static func send(_ text: String, to descriptor: Int32) {
        #expect(write(descriptor, text, text.utf8.count) == text.utf8.count)
    }

    @Test("What is read is sent, what comes is written, and each is a record with its bytes")
    func talks() throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        defer { close(input) }
        let running = try Self.run(.tcp, to: server.endpoint, input: input)
        let peer = try server.accept()
        let client = peer.remote
        Self.send("hello", to: end)
        #expect(try peer.receive(5) == Array("hello".utf8))
        try peer.send("some")
        Self.send("more", to: end)
        #expect(try peer.receive(4) == Array("more".utf8))
        close(end)
        #expect(try peer.receiveToEnd() == ([], .end))
        try peer.send("thing")
        peer.finish()
        let ended = try running.value()
        #expect(ended.error == nil && ended.output == Array("something".utf8))
        let up = ended.happenings.filter { !$0.hasPrefix("downstream") }
        #expect(
            up == [
                "opened", "upstream 0 @0 (5)", "upstream 1 @5 (4)", "upstream ended", "closed finished 9/2-0/0 9/2-0/0",
            ]
        )
        let down = ended.happenings.filter { $0.hasPrefix("downstream") }
        #expect(down == ["downstream 0 @0 (4)", "downstream 1 @4 (5)", "downstream ended"])
        #expect(Set(ended.bytes) == Set(["hello", "more", "some", "thing"].map { Array($0.utf8) }))
        let path = try #require(ended.records.first?.path)
        #expect(path.listener == server.endpoint && path.client == client && path.egress == nil && path.server == nil)
        #expect(ended.records.allSatisfy { $0.flow == FlowID(1) && $0.transport == .tcp && $0.path == path })
    }

    @Test("Line ends are those of a protocol of lines where that is wanted", arguments: [true, false])
    func convertsLines(sendsCRLF: Bool) throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        defer { close(input) }
        var settings = Conversation.Settings()
        settings.sendsCRLF = sendsCRLF
        let running = try Self.run(.tcp, to: server.endpoint, settings: settings, input: input)
        let peer = try server.accept()
        Self.send("a\nb\r\n\n", to: end)
        close(end)
        let expected = sendsCRLF ? "a\r\nb\r\n\r\n" : "a\nb\r\n\n"
        #expect(try peer.receiveToEnd().bytes == Array(expected.utf8))
        peer.finish()
        #expect(try running.value().happenings.last == "closed finished \(expected.utf8.count)/1-0/0 0/0-0/0")
    }

    @Test("A peer that ends is followed by what the input has ready, and a silent pipe is left after half a second")
    func followsPeer() throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        defer { for descriptor in [input, end] { close(descriptor) } }
        let running = try Self.run(.tcp, to: server.endpoint, input: input)
        let peer = try server.accept()
        peer.finish()
        Self.send("late", to: end)
        #expect(try peer.receive(4) == Array("late".utf8))
        #expect(try peer.receiveToEnd() == ([], .end))
        let ended = try running.value()
        #expect(ended.error == nil)
        #expect(
            Set(ended.happenings) == [
                "opened", "downstream ended", "upstream 0 @0 (4)", "closed finished 4/1-0/0 0/0-0/0",
            ]
        )
    }

    @Test("A peer that resets is an error, after what came before it")
    func reset() throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        defer { for descriptor in [input, end] { close(descriptor) } }
        let running = try Self.run(.tcp, to: server.endpoint, input: input)
        let peer = try server.accept()
        Self.send("go", to: end)
        #expect(try peer.receive(2).count == 2)
        try peer.resetAfterDelivery()
        let ended = try running.value()
        #expect(ended.error == "cannot receive from \(server.endpoint): connection reset by peer (ECONNRESET)")
        #expect(ended.happenings == ["opened", "upstream 0 @0 (2)", "closed serverReset 2/1-0/0 0/0-0/0"])
    }

    @Test("Where nothing moves for as long as it may, the conversation ends, quietly if nothing is left to send")
    func idle() throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        defer { for descriptor in [input, end] { close(descriptor) } }
        var settings = Conversation.Settings()
        settings.idleTimeout = .milliseconds(200)
        let quiet = try Self.run(.tcp, to: server.endpoint, settings: settings, input: input)
        let peer = try server.accept()
        let ended = try quiet.value()
        #expect(ended.error == nil && ended.happenings == ["opened", "closed idle 0/0-0/0 0/0-0/0"])
        peer.close()
        // Zeros without an end, and nobody reads them.
        let zeros = open("/dev/zero", O_RDONLY)
        defer { close(zeros) }
        let stuck = try Self.run(.tcp, to: server.endpoint, settings: settings, input: zeros)
        let other = try server.accept()
        let full = try stuck.value()
        #expect(full.error == "cannot send to \(server.endpoint): timed out (ETIMEDOUT)")
        let dropped = try #require(full.records.compactMap(\.dropped).first)
        #expect(
            dropped.direction == .upstream && dropped.bytes > 0 && dropped.datagrams == 0 && dropped.reason == .reset
        )
        #expect(full.records.last?.closed?.reason == .idle)
        #expect(full.records.last?.closed?.upstream.droppedBytes == dropped.bytes)
        other.close()
    }

    @Test("A write to a slow output counts as activity: the idle time begins anew after it")
    func idleAfterWrite() throws {
        let server = try TCPServer()
        let (input, end) = try Self.makePipe()
        let (reader, output) = try Self.makePipe()
        defer { for descriptor in [input, end, reader, output] { close(descriptor) } }
        // The output is full before the peer sends.
        let flags = fcntl(output, F_GETFL)
        _ = fcntl(output, F_SETFL, flags | O_NONBLOCK)
        let page = [UInt8](repeating: 120, count: 4096)
        var size = 0
        while case let count = write(output, page, page.count), count > 0 { size += count }
        _ = fcntl(output, F_SETFL, flags)
        var settings = Conversation.Settings()
        settings.idleTimeout = .milliseconds(200)
        let running = try Self.run(.tcp, to: server.endpoint, settings: settings, input: input, output: (output, nil))
        let peer = try server.accept()
        try peer.send("late")
        // Nothing is there to wait for: only the time in which an idle conversation would have ended has to pass.
        var nothing = pollfd(fd: -1, events: 0, revents: 0)
        #expect(poll(&nothing, 1, 400) == 0)
        let began = ContinuousClock.now
        var bytes = [UInt8](repeating: 0, count: size + 4)
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes { room in
                Glibc.read(reader, room.baseAddress?.advanced(by: count), room.count - count)
            }
            guard part > 0 else { break }
            count += part
        }
        #expect(bytes.suffix(4) == Array("late".utf8)[...])
        let ended = try running.value()
        #expect(began.duration(to: .now) >= .milliseconds(200))
        #expect(ended.happenings == ["opened", "downstream 0 @0 (4)", "closed idle 0/0-0/0 4/1-0/0"])
        #expect(ended.records.allSatisfy { $0.flow == FlowID(1) })
        peer.close()
    }

    @Test("An input that cannot be read and an output that takes nothing end it with their errors")
    func failures() throws {
        let server = try TCPServer()
        let folder = open("/tmp", O_RDONLY | O_DIRECTORY)
        defer { close(folder) }
        let unreadable = try Self.run(.tcp, to: server.endpoint, input: folder)
        let first = try server.accept()
        let ended = try unreadable.value()
        #expect(ended.error?.hasPrefix("cannot read standard input: ") == true)
        #expect(ended.happenings == ["opened", "closed shutdown 0/0-0/0 0/0-0/0"])
        first.close()
        let (input, end) = try Self.makePipe()
        defer { for descriptor in [input, end] { close(descriptor) } }
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let blocked = try Self.run(.tcp, to: server.endpoint, input: input, output: (full, nil))
        let second = try server.accept()
        try second.send("x")
        #expect(try blocked.value().error == "cannot write to standard output: no space left on the device (ENOSPC)")
        second.close()
        let (reader, gone) = try Self.makePipe()
        close(reader)
        defer { close(gone) }
        let left = try Self.run(.tcp, to: server.endpoint, input: input, output: (gone, nil))
        let third = try server.accept()
        try third.send("x")
        let quiet = try left.value()
        #expect(quiet.error == nil && quiet.records.last?.closed?.reason == .shutdown)
        third.close()
    }

    // MARK: - Datagrams

    @Test("Each read is a datagram, and answers are waited for after the end of the input")
    func datagrams() throws {
        let server = try UDPPeer()
        let (input, end) = try Self.makePipe()
        defer { close(input) }
        var settings = Conversation.Settings()
        settings.answerTimeout = .milliseconds(300)
        let running = try Self.run(.udp, to: try #require(server.local), settings: settings, input: input)
        Self.send("one", to: end)
        let (bytes, client) = try server.receive()
        #expect(bytes == Array("one".utf8))
        Self.send("two", to: end)
        #expect(try server.receiveText() == "two")
        close(end)
        for text in ["", "answer"] { try server.send(text, to: client) }
        let ended = try running.value()
        #expect(ended.error == nil && ended.output == Array("answer".utf8))
        let expected = ["upstream 0 @0 (3)", "upstream 1 @3 (3)", "downstream 0 @0 (0)", "downstream 1 @0 (6)"]
        #expect(ended.happenings == ["opened"] + expected + ["closed finished 6/2-0/0 6/2-0/0"])
    }

    @Test("A longer input is cut at what a datagram can have", arguments: [(false, 65_507), (true, 65_527)])
    func longest(isV6: Bool, longest: Int) throws {
        let server = try UDPPeer(at: Endpoint(address: isV6 ? .loopbackV6 : .loopbackV4, port: 0))
        let folder = try TemporaryFolder()
        let input = open(try folder.file("a", Pattern.bytes(longest + 10)), O_RDONLY)
        defer { close(input) }
        var settings = Conversation.Settings()
        settings.answerTimeout = .milliseconds(1)
        let running = try Self.run(.udp, to: try #require(server.local), settings: settings, input: input)
        #expect(try server.receive().bytes.count == longest && server.receive().bytes.count == 10)
        #expect(try running.value().happenings.last == "closed finished \(longest + 10)/2-0/0 0/0-0/0")
    }

    @Test("A port that refuses datagrams is told, with the ends that it was about")
    func refused() throws {
        let server = Endpoint(address: .loopbackV4, port: try LoopbackPort.free())
        let (input, end) = try Self.makePipe()
        defer { for descriptor in [input, end] { close(descriptor) } }
        let running = try Self.run(.udp, to: server, input: input)
        // The kernel sends a limited number of such errors each second, for all programs (icmp_msgs_per_sec of ip-sysctl).
        let deadline = Deadline()
        repeat {
            Self.send("x", to: end)
            poll(nil, 0, 50)
        } while !running.isOver && !deadline.isOver
        let ended = try running.value()
        #expect(ended.error == "cannot reach udp \(server): connection refused (ECONNREFUSED)")
        let sent = ended.happenings.count - 3
        #expect(sent >= 1)
        let chunks = (0..<max(0, sent)).map { "upstream \($0) @\($0) (1)" }
        let last = ["refused ECONNREFUSED", "closed refused \(sent)/\(sent)-0/0 0/0-0/0"]
        #expect(ended.happenings == ["opened"] + chunks + last)
        let path = try #require(ended.records.dropLast().last).path
        #expect(path.egress == path.client && path.server == server && path.listener == server)
    }
}
