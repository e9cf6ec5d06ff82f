import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A queue of messages to a thread that waits on an eventfd: any thread posts, one takes.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Lock(State())
    /// The eventfd, which becomes readable when a message is posted to an empty mailbox.
    let signal: Int32

    init() throws(SystemError) {
        let raw = weir_eventfd()
        guard raw >= 0 else { throw SystemError("make an eventfd", ErrorNumber(-raw)) }
        signal = raw
    }

    deinit {
        Glibc.close(signal)
    }

    /// Posts a message; returns false if the mailbox is closed, so that no thread will take it.
    @discardableResult
    func post(_ message: sending Message) -> Bool {
        let (isOpen, wasEmpty) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        if wasEmpty { wake() }
        return isOpen
    }

    /// Takes all messages, in the order in which they were posted.
    func take() -> [Message] {
        var count: UInt64 = 0
        read(signal, &count, 8)
        return state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Refuses all later messages, and returns those that are left.
    func close() -> [Message] {
        state.withLock { $0.isClosed = true }
        return take()
    }

    private func wake() {
        var one: UInt64 = 1
        write(signal, &one, 8)
    }
}

extension Mailbox<Void> {
    /// Waits until somebody has posted, but for so long at most, and not above a second; without a limit for nil.
    func wait(for duration: Duration?) {
        defer { _ = take() }
        var descriptor = pollfd(fd: signal, events: Int16(POLLIN), revents: 0)
        let milliseconds = duration.map { Int32(min(1000, max(0, $0.inNanoseconds / 1_000_000 + 1))) } ?? -1
        poll(&descriptor, 1, milliseconds)
    }
}
