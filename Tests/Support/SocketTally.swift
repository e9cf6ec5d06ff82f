import CWeir
import Glibc
import WeirRelay
import WeirWire

/// What one TCP socket of a test sent and received, to be compared with what a relay's records say.
package final class SocketTally: Sendable {
    private struct State {
        var sent = 0
        var received = 0
        /// How many of the sent bytes may not have left when the socket was closed; nil while it is open.
        var unsent: Int?
        /// Whether everything was received, up to an end or a reset.
        var isComplete = false
        weak var socket: LoopbackSocket?
    }

    /// Names a connection by this end and the other one.
    private struct Key: Hashable {
        var local: Endpoint
        var remote: Endpoint
    }

    private static let all = Lock<[Key: SocketTally]>([:])

    private let state = Lock(State())

    /// Finds the socket that had these ends, and forgets it: the kernel may give the ports again.
    static func take(_ local: Endpoint?, _ remote: Endpoint?) -> SocketTally? {
        guard let local, let remote else { return nil }
        return all.withLock { $0.removeValue(forKey: Key(local: local, remote: remote)) }
    }

    /// Begins to count for a socket that is connected.
    func begin(_ socket: LoopbackSocket) {
        guard let local = socket.local, let remote = socket.remote else { return }
        state.withLock { $0.socket = socket }
        Self.all.withLock { $0[Key(local: local, remote: remote)] = self }
    }

    func sent(_ count: Int) { state.withLock { $0.sent += max(0, count) } }
    func received(_ count: Int) { state.withLock { $0.received += max(0, count) } }
    /// Leaves out bytes that belong to no flow, such as those of an opening.
    func leaveOut(sent: Int, received: Int) {
        state.withLock { state in
            state.sent -= sent
            state.received -= received
        }
    }

    func end() { state.withLock { $0.isComplete = true } }

    /// Notes that the socket is about to be closed.
    func close(_ raw: Int32) {
        state.withLock { state in
            if state.unsent == nil { state.unsent = max(0, Int(weir_unsent(raw))) }
        }
    }

    /// The bounds of what this socket gave the network: bytes that its kernel still held may have arrived or not.
    var given: ClosedRange<Int> {
        let (sent, unsent) = state.withLock { state in
            (state.sent, state.unsent ?? state.socket.map { max(0, Int(weir_unsent($0.raw))) } ?? state.sent)
        }
        return max(0, sent - unsent)...sent
    }

    /// The bytes that this socket received; receives what is left first, where it is open.
    var taken: (bytes: Int, isComplete: Bool) {
        if let socket = state.withLock({ $0.unsent == nil && !$0.isComplete ? $0.socket : nil }) {
            var room = [UInt8](repeating: 0, count: 1 << 16)
            var count = 0
            repeat {
                count = recv(socket.raw, &room, room.count, Int32(MSG_DONTWAIT))
                received(count)
            } while count > 0
            if count == 0 || errno != EAGAIN { end() }
        }
        return state.withLock { ($0.received, $0.isComplete) }
    }
}
