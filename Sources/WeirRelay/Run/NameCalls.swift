import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The calls that ask a socket for its ends, or for its error: they get what the program would see without Weir.
extension CallServer {
    /// Answers `getpeername` and `getsockname`.
    func name(_ call: WatchedCall, isPeer: Bool) {
        guard !sockets.isEmpty else { return call.pass() }
        let told: Endpoint?
        do {
            // Its duplicate is closed before the answer: it would keep a port that the program closes next.
            guard let socket = socket(call.integer(0), of: call) else { return }
            told = name(of: socket, isPeer: isPeer)
        }
        guard let told else { return call.pass() }
        let error = call.write(told, to: call.argument(1), lengthAt: call.argument(2))
        finish(call, error.map { .error($0) } ?? .done)
    }

    /// Returns what the program is told of a socket's end; nil if the kernel tells it.
    private func name(of socket: borrowing WatchedSocket, isPeer: Bool) -> Endpoint? {
        guard let entry = sockets[socket.cookie] else { return nil }
        // A socket that is not connected has no peer, and the kernel says so.
        if isPeer { return Socket.peerEndpoint(socket.raw).map { _ in socket.written(entry.asked) } }
        guard let local = Socket.localEndpoint(socket.raw) else { return nil }
        return socket.written(Endpoint(address: entry.local ?? local.address, port: entry.port ?? local.port))
    }

    /// Answers `getsockopt` for `SO_ERROR`, once, if a dial failed.
    func pendingError(_ call: WatchedCall) {
        guard sockets.errors > 0 else { return call.pass() }
        guard let socket = socket(call.integer(0), of: call) else { return }
        guard var entry = sockets[socket.cookie], let error = entry.error else { return call.pass() }
        guard let room = call.read(call.argument(4), as: Int32(0)), room >= 0 else { return call.pass() }
        _ = Socket.pendingError(socket.raw)
        entry.error = nil
        sockets[socket.cookie] = entry
        let length = min(Int(room), MemoryLayout<Int32>.size)
        let isWritten = withUnsafeBytes(of: error.rawValue) {
            call.write(UnsafeRawBufferPointer(rebasing: $0[..<length]), to: call.argument(3))
        }
        guard isWritten, call.write(Int32(length), to: call.argument(4)) else {
            return finish(call, .error(ErrorNumber(EFAULT)))
        }
        finish(call, .done)
    }
}
