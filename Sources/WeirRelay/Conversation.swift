import Glibc
public import WeirFlow
import WeirWire

/// Joins an input and an output to a connection, as `nc` does: the input to the peer, the peer to the output.
///
/// One thread and `poll(2)`, so that input and output may be files. Each direction holds what one read gave until all
/// of it has gone on, and reads only then: memory is bounded, a slow side is waited for without spinning, and neither
/// direction waits for the other one. No flag of the input or the output is changed (see `Outlet`).
///
/// TCP: the end of the input is a half-close. The peer's end ends the conversation, after what came before was written.
/// But a peer may have closed only its own half and still listen, which nothing but sending can tell: input that is
/// ready is still sent, so that a file goes whole to a peer that only listens. A terminal is not waited for, a pipe until
/// it was silent for half a second. A reset is an error, unless the peer's end came before it.
///
/// UDP: one read of the input is one datagram. After the end of the input, answers are waited for.
///
/// Reading order: this file; `Conversation+Moves` for the four ways that bytes move.
public struct Conversation: ~Copyable {
    /// Is told each record with its chunk's bytes: what the kernel took upstream, and what it gave downstream.
    public typealias Observer = (_ record: FlowRecord, _ bytes: RawSpan) -> Void

    /// Says how the conversation goes.
    public struct Settings: Sendable {
        /// Says that LF of the input is sent as CRLF.
        public var sendsCRLF = false
        /// Says after how long without a byte the conversation ends; nil never ends it.
        public var idleTimeout: Duration?
        /// Says how long after the end of the input a datagram is waited for; nil waits for ever.
        public var answerTimeout: Duration? = .seconds(1)

        /// Makes the default settings.
        public init() {}
    }

    let connection: Connection
    let input: Int32
    private let isTerminal: Bool
    let outlet: Outlet
    let settings: Settings
    var recorder: ConversationRecorder

    /// Holds what was read from the input and not sent.
    var up = ByteBuffer(capacity: 1 << 16)
    /// Holds what the peer sent and the output did not take.
    var down = ByteBuffer(capacity: 1 << 16)
    /// Holds one read of the input before its line ends are converted.
    var unconverted = ByteBuffer(capacity: 16)
    var lineEnds = LineEnds()

    var inputEnded = false
    var peerEnded = false
    /// Says why sending failed; what the peer sent before is still received.
    var sendFailure: SystemError?
    var lastActivity = SystemClock.instant()

    /// Says how it ended; only the output's bytes are left to write.
    private var ending: (reason: CloseReason, error: SystemError?)?

    /// Joins a connection to an input and an output, which stay the caller's.
    ///
    /// - Parameters:
    ///   - connection: the peer's connection.
    ///   - input: the descriptor to read from.
    ///   - output: the descriptor to write to; SIGPIPE is to be ignored.
    ///   - settings: how the conversation goes.
    ///   - observer: is told the records; nil makes none.
    public init(
        _ connection: consuming Connection,
        input: Int32,
        output: Int32,
        settings: Settings = Settings(),
        observer: Observer? = nil
    ) {
        recorder = ConversationRecorder(connection, observer)
        self.connection = connection
        self.input = input
        isTerminal = isatty(input) == 1
        outlet = Outlet(output)
        self.settings = settings
    }

    /// Runs until the conversation ends, blocking; to be called once.
    ///
    /// It ends well when the peer ended, when nothing came in time, and when the output's reader has gone (EPIPE).
    ///
    /// - Throws: `SystemError` where the peer reset, or the input or the output failed; what came before is written.
    public mutating func run() throws(SystemError) {
        recorder.record(.opened)
        while ending == nil || !down.isEmpty {
            do throws(SystemError) {
                try step()
            } catch {
                down.removeAll()
                end(.shutdown, error)
            }
        }
        recorder.close(ending?.reason ?? .finished)
        if let error = ending?.error { throw error }
    }

    /// Ends the conversation; the first reason counts.
    mutating func end(_ reason: CloseReason, _ error: SystemError? = nil) {
        dropUnsent(error == nil ? .closed : .reset)
        if ending == nil { ending = (reason, error) }
    }

    /// Gives up what was read from the input and not sent.
    mutating func dropUnsent(_ reason: DropReason) {
        inputEnded = true
        if !up.isEmpty { recorder.dropped(.upstream, up.count, reason) }
        up.removeAll()
    }

    /// Says how long a silent input that is no terminal is waited for, after the peer's end.
    private static let parting = Duration.milliseconds(500)

    private var isStream: Bool { connection.transport == .tcp }

    /// Says that only the input keeps the conversation going.
    private var isLeaving: Bool { isStream && peerEnded && up.isEmpty && down.isEmpty }

    /// Waits until something can move, and moves it.
    private mutating func step() throws(SystemError) {
        if isLeaving, inputEnded { return end(.finished) }
        let isOpen = ending == nil
        let sends = isOpen && !up.isEmpty
        let receives = isOpen && !peerEnded && down.isEmpty
        let events = (sends ? POLLOUT : 0) | (receives ? POLLIN : 0)
        var entries = [
            Poll.entry(input, isOpen && !inputEnded && up.isEmpty ? POLLIN : nil),
            Poll.entry(connection.descriptor.raw, events == 0 ? nil : events),
            Poll.entry(outlet.raw, down.isEmpty ? nil : POLLOUT),
        ]
        guard try Poll.wait(&entries, timeout: timeout) > 0 else { return expire() }
        if entries[2].isReady(for: POLLOUT) { write() }
        if entries[0].isReady(for: POLLIN) { read() }
        if sends, entries[1].isReady(for: POLLOUT) { send() }
        if receives, entries[1].isReady(for: POLLIN) { receive() }
    }

    /// Says how long nothing may move; nil is for ever.
    private var timeout: Duration? {
        if isLeaving {
            return isTerminal ? .zero : SystemClock.instant().duration(to: lastActivity.advanced(by: Self.parting))
        }
        // While the output's reader is slow, it is not the peer that is idle.
        guard let limit, down.isEmpty else { return nil }
        return SystemClock.instant().duration(to: lastActivity.advanced(by: limit))
    }

    private var limit: Duration? { awaitsAnswers ? settings.answerTimeout : settings.idleTimeout }

    private var awaitsAnswers: Bool { !isStream && inputEnded && up.isEmpty }

    /// Ends the conversation when nothing moved for too long.
    private mutating func expire() {
        guard let timeout, timeout <= .zero else { return }
        if isLeaving { return end(.finished) }
        if up.isEmpty {
            end(awaitsAnswers ? .finished : .idle)
        } else {
            end(.idle, SystemError("send to \(connection.peer)", .timedOut))
        }
    }
}
