import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The calls that ask a socket for its ends, or for its error: they get what the program would see without Weir.
extension CallServer {
    /// Answers `getpeername` and `getsockname`.
    func name(_ call: WatchedCall, isPeer: Bool) {
        guard !sockets.isEmpty, let socket = socket(call.integer(0), of: call) else {
            if sockets.isEmpty { call.pass() }
            return
        }
        guard let entry = sockets[socket.cookie] else { return call.pass() }
        // A socket that is not connected has no peer, and the kernel says so.
        let peer = Socket.peerEndpoint(socket.raw)
        let told: Endpoint?
        if isPeer {
            told = peer == nil ? nil : entry.asked
        } else {
            told = Socket.localEndpoint(socket.raw).map {
                Endpoint(address: entry.local ?? $0.address, port: entry.port ?? $0.port)
            }
        }
        guard let told else { return call.pass() }
        let error = call.write(socket.written(told), to: call.argument(1), lengthAt: call.argument(2))
        finish(call, error.map { .error($0) } ?? .done)
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
