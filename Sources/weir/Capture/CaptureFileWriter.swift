import Glibc
import WeirCapture
import WeirEngine
import WeirRelay
import WeirWire

/// A writer of a live capture's packets to one file, or to several, one after another.
struct CaptureFileWriter: ~Copyable, Sendable {
    /// The number of bytes, while more packets wait, from which a write(2) is worth it.
    private static let writeSize = 256 << 10

    /// The maximum number of bytes in packets that wait for their flows to be known.
    private static let largestWait = 4 << 20

    private var blocks: PacketBlocks
    /// The notes on the flows of packets; nil without a feed of flows.
    private var notes: FlowNotes?
    /// The secrets of TLS; nil if there will be none, and no packet waits for them.
    private let secrets: SecretFeed?
    private var recentSecrets = RecentSecrets()
    private var waiting = WaitingPackets()
    private var output: Output
    private var progress = CaptureProgress(began: 0)
    /// The time and the size at which the file ends; the largest numbers if nothing ends it.
    private var end: (time: Int64, size: Int) = (.max, .max)
    /// The size in bytes of the file's head, before its first packet.
    private var headSize = 0

    /// The time of the last packet of a known flow, after `watch`.
    var lastSign: Int64 { notes?.lastSign ?? 0 }

    /// Whether packets wait for their flows to be known.
    var isWaiting: Bool { !waiting.isEmpty }

    /// Makes a writer, and begins the first file.
    ///
    /// - Parameters:
    ///   - description: the contents of a file's head.
    ///   - feed: the flows that packets' comments name; nil if there are none.
    ///   - process: returns the process of a flow's client; nil if processes are not searched for.
    ///   - secrets: the secrets that decrypt packets; nil if there are none.
    ///   - target: the destination of the packets.
    /// - Throws: `SystemError` if the file's head cannot be written.
    init(
        _ description: CaptureDescription,
        naming feed: FlowFeed? = nil,
        process: ProcessPeek? = nil,
        secrets: SecretFeed? = nil,
        to target: consuming OutputTarget
    ) throws(SystemError) {
        self.secrets = secrets
        blocks = PacketBlocks(description)
        notes = feed.map { FlowNotes($0, description.linkType, process: process) }
        output = Output(target)
        try begin()
    }

    /// Adds a packet.
    mutating func append(_ packet: LivePacket, _ bytes: RawSpan) throws(SystemError) {
        notes?.watch(packet, bytes)
        if waiting.isEmpty, secrets?.isExpected != true, try render(packet, bytes, at: packet.timestamp) { return }
        waiting.append(packet, bytes)
    }

    /// From now on, records when packets of known flows arrive.
    mutating func watch(at time: Int64) { notes?.watch(at: time) }

    /// Stores the kernel's counters, for the end of a file.
    mutating func note(_ progress: CaptureProgress) { self.progress = progress }

    /// Writes the packets that are ready, if no other packet is waiting or there are enough bytes.
    mutating func flush(isIdle: Bool) throws(SystemError) {
        let now = SystemClock.now().wallNanoseconds
        notes?.learn(at: now)
        takeSecrets(at: now)
        try renderWaiting(at: waiting.count > Self.largestWait ? .max : now)
        guard isIdle || blocks.count >= Self.writeSize else { return }
        if blocks.count > 0 { try release() }
        if isIdle, waiting.isEmpty, end.time != .max, output.written > headSize, output.target.timeLeft == .zero {
            try beginNext(at: now)
        }
    }

    /// Writes the remaining packets and the kernel's counters; reports the finished file.
    mutating func finish(_ progress: CaptureProgress) throws(SystemError) {
        guard !output.hasFailed else { return }
        takeSecrets(at: SystemClock.now().wallNanoseconds)
        try renderWaiting(at: .max)
        self.progress = progress
        try endFile()
        if let file = output.target.file { CaptureStatus.write("recorded \(file)") }
    }

    /// Writes the secrets that are known now.
    private mutating func takeSecrets(at time: Int64) {
        guard let lines = secrets?.take(), !lines.isEmpty else { return }
        blocks.append(secrets: lines)
        recentSecrets.add(lines, at: time)
    }

    /// Renders a packet in the file to which it belongs by its time.
    ///
    /// - Returns: whether it was rendered; if not, it must wait for its flow.
    private mutating func render(_ packet: LivePacket, _ bytes: RawSpan, at now: Int64) throws(SystemError) -> Bool {
        if secrets?.isExpected == true, now &- packet.timestamp < SecretFeed.patience { return false }
        let size = output.written &+ blocks.count
        if packet.timestamp >= end.time || size >= end.size, size > headSize { try beginNext(at: packet.timestamp) }
        switch notes?.note(packet, bytes, at: now) ?? .nothing {
        case .nothing: blocks.append(packet, bytes)
        case .says(let text, let process): blocks.append(packet, bytes, saying: text, process: process)
        case .isFrom(let process): blocks.append(packet, bytes, process: process)
        case .waits: return false
        }
        return true
    }

    private mutating func renderWaiting(at now: Int64) throws(SystemError) {
        guard !waiting.isEmpty else { return }
        var offered = WaitingPackets()
        swap(&offered, &waiting)
        try offered.offer { packet, bytes throws(SystemError) in try render(packet, bytes, at: now) }
        waiting = offered
    }

    private mutating func begin() throws(SystemError) {
        var head = ByteBuffer()
        blocks.begin(to: &head)
        headSize = head.count
        end = (output.target.boundary ?? .max, output.target.fullSize ?? .max)
        try output.write(&head)
        notes?.beginFile()
        guard secrets?.isExpected == true else { return }
        blocks.append(secrets: recentSecrets.lines(at: SystemClock.now().wallNanoseconds))
    }

    private mutating func beginNext(at time: Int64) throws(SystemError) {
        try endFile()
        CaptureStatus.write("recorded \(try output.beginFile(at: time))")
        try begin()
    }

    private mutating func endFile() throws(SystemError) {
        try release()
        var statistics = ByteBuffer()
        blocks.finish(progress, to: &statistics)
        try output.write(&statistics)
    }

    private mutating func release() throws(SystemError) {
        try blocks.release { buffer throws(SystemError) in try output.write(&buffer) }
    }
}

/// The current file.
private struct Output: ~Copyable, Sendable {
    var target: OutputTarget
    /// The number of bytes that were written to it.
    var written = 0
    var hasFailed = false

    init(_ target: consuming OutputTarget) {
        self.target = target
    }

    mutating func beginFile(at time: Int64) throws(SystemError) -> String {
        do throws(SystemError) {
            let ended = try target.beginFile(at: time)
            written = 0
            return ended
        } catch {
            hasFailed = true
            throw error
        }
    }

    /// Writes whole blocks; after a failure, cuts off the file after the last whole block.
    mutating func write(_ bytes: inout ByteBuffer) throws(SystemError) {
        guard !hasFailed else { return }
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { target.write($0) }
            if count >= 0 {
                bytes.removeFirst(count)
                written += count
            } else if errno == EAGAIN {
                var descriptor = pollfd(fd: target.raw, events: Int16(POLLOUT), revents: 0)
                poll(&descriptor, 1, -1)
            } else if errno != EINTR {
                let error = ErrorNumber(errno)
                hasFailed = true
                target.cutToWhole()
                throw SystemError("write to \(target.file.map { "'\($0)'" } ?? "standard output")", error)
            }
        }
    }
}
