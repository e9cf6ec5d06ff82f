import Glibc
import Support
import Synchronization
import Testing
import WeirCapture
import WeirEngine
import WeirWire

@testable import weir
@testable import WeirRelay

@Suite("The files of weir capture", .tags(.capture), .timeLimit(.minutes(1)))
struct CaptureFileWriterTests {
    private static let second: Int64 = 1_000_000_000
    private static let base: Int64 = 1_000_000_000_000
    static let client = Endpoint(address: .loopbackV4, port: 50_000)
    static let listener = Endpoint(address: .loopbackV4, port: 9000)

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Makes a frame of TCP over IPv4 over Ethernet, of so many bytes.
    static func frame(_ flags: TCPFlags = .ack, from port: UInt16 = client.port, size: Int = 200) -> [UInt8] {
        var buffer = ByteBuffer()
        EthernetHeader(destination: MACAddress(0), source: MACAddress(0), type: .ipv4).emit(to: &buffer)
        IPv4Header(
            source: client.address,
            destination: listener.address,
            protocol: IPProtocol(.tcp),
            payloadLength: size - 34
        ).emit(to: &buffer)
        TCPHeader(
            sourcePort: port,
            destinationPort: listener.port,
            sequenceNumber: 1,
            acknowledgmentNumber: 0,
            flags: flags,
            window: 1
        ).emit(to: &buffer)
        let head = buffer.withUnsafeBytes { Array($0) }
        return head + [UInt8](repeating: 7, count: size - head.count)
    }

    private static func append(
        _ writer: inout CaptureFileWriter,
        at time: Int64,
        _ bytes: [UInt8] = frame()
    ) throws(SystemError) {
        try writer.append(LivePacket(timestamp: time, originalLength: UInt32(bytes.count)), bytes.span.bytes)
    }

    private static func progress(_ packets: UInt64) -> CaptureProgress {
        var progress = CaptureProgress(began: base)
        progress.packets = packets
        progress.counters.received = packets + 1
        progress.counters.dropped = 1
        return progress
    }

    private func files(_ rotation: FileRotation, clock: @escaping @Sendable () -> Int64 = { base }) throws
        -> CaptureFiles
    {
        try CaptureFiles(folder.path + "/", rotation: rotation, clock: clock)
    }

    private var names: [String] {
        get throws {
            let names = try ChildProgram.run("ls", [folder.path]).output.split(separator: "\n").map(String.init)
            return names.sorted()
        }
    }

    /// Returns the times of the packets of each file, after the base, in milliseconds.
    private func times() throws -> [[Int64]] {
        try names.map { try SeenFrames(try folder.read($0)).frames.map { ($0.time - Self.base) / 1_000_000 } }
    }

    private func size(_ name: String) throws -> Int { try folder.read(name).count }

    @Test("A file has its head from the start, its packets when they are due, and the kernel's counters at its end")
    func writesOne() throws {
        let path = try folder.file("a", [])
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: OutputTarget(lent: descriptor))
        let head = try size("a")
        let (sign, waits) = (writer.lastSign, writer.isWaiting)
        #expect(head > 0 && sign == 0 && !waits)
        let frames = [Self.frame(), Self.frame(size: 100), Self.frame(.syn)]
        for (index, frame) in frames.enumerated() { try Self.append(&writer, at: Self.base + Int64(index), frame) }
        try writer.flush(isIdle: false)
        #expect(try size("a") == head)
        try writer.flush(isIdle: true)
        let written = try size("a")
        #expect(written > head)
        try writer.flush(isIdle: true)
        #expect(try size("a") == written)
        try Self.append(&writer, at: Self.base + 3)
        try writer.finish(Self.progress(4))
        let seen = try SeenFrames(try folder.read("a"))
        #expect(seen.frames.map(\.bytes) == frames + [Self.frame()])
        #expect(seen.frames.map { $0.time - Self.base } == [0, 1, 2, 3])
        #expect(seen.statistics.map(\.received) == [5] && seen.statistics.map(\.delivered) == [4])
        #expect(seen.frames.allSatisfy { $0.comments.isEmpty })
    }

    @Test("While more packets wait, 256 KiB are written together", arguments: [(1113, false), (1131, true)])
    func writesMuch(count: Int, isWritten: Bool) throws {
        let path = try folder.file("a", [])
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: OutputTarget(lent: descriptor))
        let head = try size("a")
        // Each takes 232 bytes in the file.
        for number in 0..<count { try Self.append(&writer, at: Self.base + Int64(number)) }
        try writer.flush(isIdle: false)
        #expect(try size("a") == head + (isWritten ? 232 * count : 0))
        try writer.finish(Self.progress(UInt64(count)))
        #expect(try SeenFrames(try folder.read("a")).frames.count == count)
    }

    @Test(
        "A file ends with the packet that makes it as large as it may be, and each has the counters of its time",
        arguments: [(695, 3), (696, 3), (697, 4), (1, 1)]
    )
    func rotatesBySize(beyondHead: Int, perFile: Int) throws {
        let description = CaptureDescription(linkType: .ethernet)
        let probe = try folder.file("probe", [])
        let descriptor = open(probe, O_WRONLY)
        _ = try CaptureFileWriter(description, to: OutputTarget(lent: descriptor))
        close(descriptor)
        let head = try size("probe")
        #expect(unlink(probe) == 0)
        // Each packet takes 232 bytes.
        let target = OutputTarget(try files(FileRotation(size: head + beyondHead)))
        var writer = try CaptureFileWriter(description, to: target)
        for number in 0..<20 {
            writer.note(Self.progress(UInt64(number)))
            try Self.append(&writer, at: Self.base + Int64(number) * 1_000_000)
            if number % 3 == 0 { try writer.flush(isIdle: true) }
        }
        try writer.finish(Self.progress(20))
        let expected = stride(from: 0, to: 20, by: perFile).map { Array(Int64($0)..<Int64(min($0 + perFile, 20))) }
        #expect(try times() == expected)
        let counts = try names.flatMap { try SeenFrames(try folder.read($0)).statistics.map(\.delivered) }
        #expect(counts == expected.map { $0.last == 19 ? 20 : UInt64(($0.last ?? 0) + 1) })
    }

    @Test("A packet is in the file of its time; a file without packets never ends")
    func rotatesByTime() throws {
        let target = OutputTarget(try files(FileRotation(every: .seconds(1))))
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: target)
        for time in [5000, 5100, 5999, 6000, 6500, 6999, 7000, 9500] as [Int64] {
            try Self.append(&writer, at: Self.base + time * 1_000_000)
        }
        try writer.finish(Self.progress(8))
        #expect(try times() == [[5000], [5100, 5999], [6000, 6500, 6999], [7000], [9500]])
    }

    @Test("Where no packet comes a file ends a little after its time, and the next one waits for a packet")
    func endsIdleFiles() throws {
        let clock = ManualNanoseconds(Self.base)
        let target = OutputTarget(try files(FileRotation(every: .seconds(1)), clock: { clock.now }))
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: target)
        func flush(_ milliseconds: Int64, isIdle: Bool = true) throws -> Int {
            clock.set(Self.base + milliseconds * 1_000_000)
            try writer.flush(isIdle: isIdle)
            return try names.count
        }
        #expect(try flush(5000) == 1)
        clock.set(Self.base)
        try Self.append(&writer, at: Self.base + 100_000_000)
        #expect(try flush(900) == 1 && flush(1049) == 1 && flush(1050, isIdle: false) == 1 && flush(1050) == 2)
        #expect(try flush(9000) == 2)
        try Self.append(&writer, at: Self.base + 100_000_000)
        try writer.finish(Self.progress(2))
        #expect(try times() == [[100], [100]])
    }

    @Test("Secrets stand before the packets that wait for them, and lately known ones in the next file as well")
    func waitsForSecrets() throws {
        let feed = SecretFeed()
        let target = OutputTarget(try files(FileRotation(every: .seconds(1))))
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), secrets: feed, to: target)
        let now = SystemClock.now().wallNanoseconds + Self.second
        try Self.append(&writer, at: Self.base)
        var waits = [writer.isWaiting]
        feed.expect()
        try Self.append(&writer, at: now)
        waits.append(writer.isWaiting)
        feed.add(["a 1"])
        try writer.flush(isIdle: true)
        waits.append(writer.isWaiting)
        // The end waits for nothing.
        feed.add(["b 2"])
        try writer.finish(Self.progress(2))
        #expect(waits == [false, true, true])
        let secrets = try names.map { name in
            let capture = try SeenCapture(try folder.read(name))
            return zip(capture.blocks, capture.places).compactMap { block, place -> String? in
                guard case .secrets(let secrets) = block else { return nil }
                return "\(place) \(String(decoding: secrets.bytes, as: UTF8.self))"
            }
        }
        #expect(secrets == [["1 a 1\n", "1 b 2\n"], ["0 a 1\nb 2\n"]])
        #expect(try times().map(\.count) == [1, 1])
    }

    @Test("A packet waits for its flow, others wait behind it, and the end waits for nothing")
    func waitsForFlows() throws {
        let path = try folder.file("a", [])
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        let feed = FlowFeed()
        var sink = FlowFeedSink(feed)
        var output = ByteBuffer()
        let description = CaptureDescription(linkType: .ethernet)
        var writer = try CaptureFileWriter(description, naming: feed, to: OutputTarget(lent: descriptor))
        let now = SystemClock.now().wallNanoseconds + Self.second
        try Self.append(&writer, at: now, Self.frame(.ack))
        var waits = [writer.isWaiting]
        try Self.append(&writer, at: now + 1, Self.frame(.syn))
        try Self.append(&writer, at: now + 2, Self.frame(.ack, from: 1))
        waits.append(writer.isWaiting)
        try writer.flush(isIdle: true)
        waits.append(writer.isWaiting)
        let path4 = FlowPath(client: Self.client, listener: Self.listener)
        let record = FlowRecord(
            flow: FlowID(7),
            transport: .tcp,
            path: path4,
            moment: Moment(wallNanoseconds: now, instant: Instant(nanoseconds: 0)),
            happening: .opened
        )
        sink.render(record, bytes: [UInt8]().span.bytes, into: &output)
        try writer.flush(isIdle: true)
        waits.append(writer.isWaiting)
        writer.watch(at: now + 3)
        var signs = [writer.lastSign]
        try Self.append(&writer, at: now + 4, Self.frame(.ack))
        signs.append(writer.lastSign)
        try Self.append(&writer, at: now + 5, Self.frame(.ack, from: 1))
        signs.append(writer.lastSign)
        try Self.append(&writer, at: now + 6, Self.frame(.syn, from: 2))
        waits.append(writer.isWaiting)
        #expect(waits == [false, true, true, false, true])
        #expect(signs.map { $0 - now } == [3, 4, 4])
        try writer.finish(Self.progress(6))
        let seen = try SeenFrames(try folder.read("a"))
        #expect(seen.frames.map { $0.time - now } == [0, 1, 2, 4, 5, 6])
        let text = "flow 7 client 127.0.0.1:50000 listener 127.0.0.1:9000"
        #expect(seen.frames.map(\.comments) == [[], [text], [], [], [], []])
    }

    @Test("A pipe that is slow gets everything, though it never blocks")
    func writesToSlowPipe() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
        let reading = try Background { [end = ends[0]] in
            var (all, part) = ([UInt8](), [UInt8](repeating: 0, count: 5000))
            while case let count = read(end, &part, part.count), count > 0 { all += part[..<count] }
            close(end)
            return all
        }
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: OutputTarget(lent: ends[1]))
        for number in 0..<3000 {
            try Self.append(&writer, at: Self.base + Int64(number))
            try writer.flush(isIdle: false)
        }
        try writer.finish(Self.progress(3000))
        close(ends[1])
        #expect(try SeenFrames(try reading.value()).frames.count == 3000)
    }

    @Test("A failure is told once, and then nothing more is written")
    func fails() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[1]) }
        var writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: OutputTarget(lent: ends[1]))
        close(ends[0])
        try Self.append(&writer, at: Self.base)
        var message = ""
        do throws(SystemError) { try writer.flush(isIdle: true) } catch { message = "\(error)" }
        #expect(message == "cannot write to standard output: broken pipe (EPIPE)")
        try writer.finish(Self.progress(1))
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        do throws(SystemError) {
            writer = try CaptureFileWriter(CaptureDescription(linkType: .ethernet), to: OutputTarget(lent: full))
            message = ""
        } catch {
            message = "\(error)"
        }
        #expect(message == "cannot write to standard output: no space left on the device (ENOSPC)")
    }
}

/// A wall clock that a test sets.
private final class ManualNanoseconds: Sendable {
    private let value: Atomic<Int64>

    init(_ value: Int64) { self.value = Atomic(value) }

    var now: Int64 { value.load(ordering: .relaxed) }

    func set(_ value: Int64) { self.value.store(value, ordering: .relaxed) }
}
