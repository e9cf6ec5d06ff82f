import Glibc
import WeirEngine
import WeirWire

/// The four ways that bytes move, each by one system call.
extension Conversation {
    /// The maximum payload of one datagram, in bytes.
    ///
    /// Source: RFC 768 (a length of 16 bits, with the header's 8 bytes), RFC 791 section 3.1 (in 65,535 bytes with an
    /// IPv4 header of 20).
    private var longestDatagram: Int { connection.peer.address.isV4 ? 65_507 : 65_527 }

    /// Reads the input, and offers its bytes to the kernel at once.
    mutating func read() {
        var size = connection.transport == .tcp ? 1 << 16 : longestDatagram
        // Each LF may become two bytes, and a datagram cannot grow beyond its limit.
        if settings.sendsCRLF { size /= 2 }
        var count = 0
        unconverted.removeAll()
        if settings.sendsCRLF {
            unconverted.append(upTo: size) { Self.read(input, into: $0, &count) }
            unconverted.withUnsafeBytes { lineEnds.convert($0.bytes, into: &up) }
        } else {
            up.append(upTo: size) { Self.read(input, into: $0, &count) }
        }
        if count > 0 {
            lastActivity = SystemClock.instant()
            send()
        } else if count == 0 {
            inputEnded = true
            lastActivity = SystemClock.instant()
            finishSending()
        } else if !isTransient(errno) {
            end(.shutdown, SystemError("read standard input", .current))
        }
    }

    private static func read(_ input: Int32, into room: UnsafeMutableRawBufferPointer, _ count: inout Int) -> Int {
        count = Glibc.read(input, room.baseAddress, room.count)
        return max(count, 0)
    }

    /// Sends as many of the read bytes as the kernel takes.
    mutating func send() {
        #if TLS
        if let tls = connection.tls { return send(by: tls) }
        #endif
        let sent = up.withUnsafeBytes { bytes in
            let sent = Glibc.send(connection.descriptor.raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if sent > 0 { recorder.chunk(.upstream, UnsafeRawBufferPointer(rebasing: bytes[..<sent]).bytes) }
            return sent
        }
        guard sent < 0 else {
            up.removeFirst(sent)
            lastActivity = SystemClock.instant()
            if inputEnded { finishSending() }
            return
        }
        let error = ErrorNumber.current
        if isTransient(error.rawValue) { return }
        guard connection.transport == .tcp else { return failDatagram("send to", error) }
        failSending(error)
    }

    /// Gives up sending to a stream.
    mutating func failSending(_ error: ErrorNumber) {
        dropUnsent(.reset)
        // EPIPE: the peer's end arrived before its reset, and is still to be received.
        if error.rawValue != EPIPE, !peerEnded { sendFailure = SystemError("send to \(connection.peer)", error) }
    }

    /// Half-closes a stream after its last byte.
    mutating func finishSending() {
        guard connection.transport == .tcp, up.isEmpty, sendFailure == nil else { return }
        #if TLS
        if let tls = connection.tls {
            tls.finish()
            return recorder.record(.ended(.upstream))
        }
        #endif
        if shutdown(connection.descriptor.raw, Int32(SHUT_WR)) == 0 { recorder.record(.ended(.upstream)) }
    }

    /// Receives from the peer.
    mutating func receive() {
        #if TLS
        if let tls = connection.tls { return receive(by: tls) }
        #endif
        let count = receiveOnce()
        guard count <= 0 else { return }
        if count == 0 {
            if connection.transport == .tcp { endPeer() }
            return
        }
        let error = ErrorNumber.current
        if isTransient(error.rawValue) { return }
        guard connection.transport == .tcp else { return failDatagram("receive from", error) }
        end(.serverReset, SystemError("receive from \(connection.peer)", error))
    }

    private mutating func receiveOnce() -> Int {
        var count = 0
        let before = down.count
        // A datagram has at most 65,535 bytes, so none is cut.
        down.append(upTo: 1 << 16) { room in
            count = recv(connection.descriptor.raw, room.baseAddress, room.count, 0)
            return max(count, 0)
        }
        guard count > 0 || count == 0 && connection.transport == .udp else { return count }
        lastActivity = SystemClock.instant()
        down.withUnsafeBytes { bytes in
            recorder.chunk(.downstream, UnsafeRawBufferPointer(rebasing: bytes[before...]).bytes)
        }
        return count
    }

    mutating func endPeer() {
        if let sendFailure { return end(.serverReset, sendFailure) }
        peerEnded = true
        lastActivity = SystemClock.instant()
        recorder.record(.ended(.downstream))
    }

    /// Ends a conversation of datagrams; the kernel reports the error before the datagrams that arrived earlier.
    private mutating func failDatagram(_ attempt: String, _ error: ErrorNumber) {
        while receiveOnce() >= 0 {}
        guard error == .connectionRefused else {
            return end(.shutdown, SystemError("\(attempt) udp \(connection.peer)", error))
        }
        recorder.refused(error)
        end(.refused, SystemError("reach udp \(connection.peer)", error))
    }

    /// Writes as many of the peer's bytes as the output takes.
    mutating func write() {
        do throws(SystemError) {
            let written = try down.withUnsafeBytes { bytes throws(SystemError) in try writer.write(bytes) }
            down.removeFirst(written)
            if written > 0 { lastActivity = SystemClock.instant() }
        } catch {
            down.removeAll()
            // A reader that has seen enough (`| head`) is no error.
            end(.shutdown, error.error.rawValue == EPIPE ? nil : error)
        }
    }

    private func isTransient(_ error: Int32) -> Bool { error == EAGAIN || error == EINTR }
}
