import Glibc
public import WeirEngine
public import WeirWire

/// A connection between an input, an output and a peer, as in `nc`: the input goes to the peer, the peer to the output.
///
/// One thread and `poll(2)`, so that input and output may be files. Each direction keeps the bytes of one read until
/// all of them have moved on, and only then reads again: memory is limited, waiting for a slow side does not spin, and
/// neither direction waits for the other one. No flag of the input or the output is changed (see `OutputWriter`).
///
/// TCP: the end of the input is a half-close. The peer's end ends the conversation, after what it sent before is
/// written. But a peer may have closed only its own half and still receive, which only sending can reveal: input that
/// is ready is still sent, so that a file reaches a peer that only receives. After the peer's end, the conversation
/// does not wait for a terminal, and waits for a pipe until it was silent for half a second. A reset is an error,
/// unless the peer's end arrived before it.
///
/// TLS: the end of the input is a close_notify, and so is the peer's end; one without is an error, after all that came is
/// written.
///
/// UDP: one read of the input is one datagram. After the end of the input, the conversation waits for answers.
///
/// Reading order: this file; `Conversation+Copying` for the four ways that bytes move; `ConnectionTLS` for TLS.
public struct Conversation: ~Copyable {
    /// A closure that receives each record with its chunk's bytes: those that the kernel took upstream, and gave
    /// downstream.
    public typealias Observer = (_ record: FlowRecord, _ bytes: RawSpan) -> Void

    /// The settings of a conversation.
    public struct Settings: Sendable {
        /// Whether LF in the input is sent as CRLF.
        public var sendsCRLF = false
        /// The time without a byte after which the conversation ends; if nil, it never ends for that reason.
        public var idleTimeout: Duration?
        /// How long to wait for a datagram after the end of the input; if nil, for ever.
        public var answerTimeout: Duration? = .seconds(1)

        /// Makes the default settings.
        public init() {}
    }

    let connection: Connection
    let input: Int32
    private let isTerminal: Bool
    let writer: OutputWriter
    let settings: Settings
    var recorder: ConversationRecorder

    /// The bytes that were read from the input and not sent yet.
    var up = ByteBuffer(capacity: 1 << 16)
    /// The bytes that the peer sent and the output did not take yet.
    var down = ByteBuffer(capacity: 1 << 16)
    /// The bytes of one read of the input, before their line ends are converted.
    var unconverted = ByteBuffer(capacity: 16)
    var lineEnds = LineEnds()

    var inputEnded = false
    var peerEnded = false
    /// The failure of a send; what the peer sent before it is still received.
    var sendFailure: SystemError?
    /// The error of a peer that ended without close_notify; the conversation goes on as after any end.
    var truncation: ConversationError?
    var lastActivity = SystemClock.instant()

    /// The reason for the end and its error, if the conversation has ended; then only the output's bytes are left to
    /// write.
    private var ending: (reason: CloseReason, error: ConversationError?)?
    /// Whether bytes of the input were dropped.
    private var hasDropped = false

    /// Connects a peer to an input and an output, which still belong to the caller.
    ///
    /// - Parameters:
    ///   - connection: the peer's connection.
    ///   - input: the descriptor to read from.
    ///   - output: the descriptor to write to; the caller must ignore SIGPIPE.
    ///   - settings: the settings of the conversation.
    ///   - observer: called with each record; if nil, no records are made.
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
        writer = OutputWriter(output)
        self.settings = settings
    }

    /// Runs until the conversation ends, and blocks meanwhile; call it once.
    ///
    /// It returns normally if the peer ended, a time-out passed, or the output's reader is gone (EPIPE).
    ///
    /// - Throws: `ConversationError` if the peer reset, or the input, the output or TLS failed; earlier bytes are written
    ///   first.
    public mutating func run() throws(ConversationError) {
        recorder.record(.opened)
        if let secured = connection.secured { recorder.record(.tls(.secured(secured))) }
        while ending == nil || !down.isEmpty {
            do throws(SystemError) {
                try step()
            } catch {
                down.removeAll()
                end(.shutdown, error)
            }
        }
        #if TLS
        // After dropped bytes the peer must not take the input for whole.
        if ending?.error == nil, !hasDropped { connection.tls?.finish() }
        #endif
        recorder.close(ending?.reason ?? .finished)
        if let error = ending?.error ?? truncation { throw error }
    }

    /// Ends the conversation; only the first reason counts.
    mutating func end(_ reason: CloseReason, _ error: SystemError? = nil) {
        end(reason, failure: error.map { .system($0) })
    }

    /// Ends the conversation with any error.
    mutating func end(_ reason: CloseReason, failure error: ConversationError?) {
        dropUnsent(error == nil ? .closed : .reset)
        if ending == nil { ending = (reason, error) }
    }

    /// Drops the bytes that were read from the input and not sent.
    mutating func dropUnsent(_ reason: DropReason) {
        inputEnded = true
        if !up.isEmpty {
            recorder.dropped(.upstream, up.count, reason)
            hasDropped = true
        }
        up.removeAll()
    }

    /// How long to wait, after the peer's end, for a silent input that is not a terminal.
    private static let parting = Duration.milliseconds(500)

    private var isStream: Bool { connection.transport == .tcp }

    /// Whether only the input keeps the conversation open.
    private var isLeaving: Bool { isStream && peerEnded && up.isEmpty && down.isEmpty }

    /// Waits until bytes can move in some direction, and moves them.
    private mutating func step() throws(SystemError) {
        if isLeaving, inputEnded { return end(.finished) }
        let isOpen = ending == nil
        let receives = isOpen && !peerEnded && down.isEmpty
        if receives, holdsBytes { return receive() }
        let sends = isOpen && (!up.isEmpty || holdsOutgoing)
        let events = (sends ? POLLOUT : 0) | (receives ? POLLIN : 0)
        var entries = [
            Poll.entry(input, isOpen && !inputEnded && up.isEmpty ? POLLIN : nil),
            Poll.entry(connection.descriptor.raw, events == 0 ? nil : events),
            Poll.entry(writer.raw, down.isEmpty ? nil : POLLOUT),
        ]
        guard try Poll.wait(&entries, timeout: timeout) > 0 else { return expire() }
        if entries[2].isReady(for: POLLOUT) { write() }
        if entries[0].isReady(for: POLLIN) { read() }
        if sends, entries[1].isReady(for: POLLOUT) { send() }
        if receives, entries[1].isReady(for: POLLIN) { receive() }
    }

    /// Whether bytes have arrived, of which the socket does not tell.
    private var holdsBytes: Bool {
        #if TLS
        connection.tls?.hasMore == true
        #else
        false
        #endif
    }

    /// Whether bytes wait for the kernel besides those of the input: TLS has its own.
    private var holdsOutgoing: Bool {
        #if TLS
        connection.tls?.hasOutgoing == true
        #else
        false
        #endif
    }

    /// How long to wait without progress; nil is for ever.
    private var timeout: Duration? {
        if isLeaving {
            return isTerminal ? .zero : SystemClock.instant().duration(to: lastActivity.advanced(by: Self.parting))
        }
        // While the output's reader is slow, the peer is not idle.
        guard let limit, down.isEmpty else { return nil }
        return SystemClock.instant().duration(to: lastActivity.advanced(by: limit))
    }

    private var limit: Duration? { awaitsAnswers ? settings.answerTimeout : settings.idleTimeout }

    private var awaitsAnswers: Bool { !isStream && inputEnded && up.isEmpty }

    /// Ends the conversation if nothing moved for too long.
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

/// The reason why a conversation failed.
public enum ConversationError: Error, Hashable, CustomStringConvertible {
    /// A system call.
    case system(SystemError)
    #if TLS
    /// TLS with the peer.
    case tls(TLSClientError)
    #endif

    /// The error in one line.
    public var description: String {
        switch self {
        case .system(let error): error.description
        #if TLS
        case .tls(let error): error.description
        #endif
        }
    }
}

/// A converter of LF to CRLF, for HTTP, SMTP and other line-based protocols; a CRLF stays as it is.
///
/// Bytes arrive in chunks, and a CRLF may be split between two.
public struct LineEnds: Sendable {
    private var lastWasReturn = false

    /// Makes a converter for a new stream.
    public init() {}

    /// Appends the converted bytes of the next chunk.
    ///
    /// - Complexity: O(n) in the chunk's length.
    public mutating func convert(_ bytes: RawSpan, into output: inout ByteBuffer) {
        var start = 0
        bytes.withUnsafeBytes { bytes in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\n"), !lastWasReturn {
                    append(bytes[start..<index], to: &output)
                    output.append("\r\n")
                    start = index + 1
                }
                lastWasReturn = bytes[index] == UInt8(ascii: "\r")
            }
            append(bytes[start...], to: &output)
        }
    }

    private func append(_ bytes: Slice<UnsafeRawBufferPointer>, to output: inout ByteBuffer) {
        output.append(UnsafeRawBufferPointer(rebasing: bytes).bytes)
    }
}
