import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The places in a program's memory from which a message is sent, or into which one is received.
///
/// They are those of one `msghdr` (sendmsg(2), recvmsg(2)), or of the arguments of `sendto` and `recvfrom`.
struct MessageSlot {
    /// The size of a `msghdr`, and the distance of two in the array of `sendmmsg` and `recvmmsg`, whose length follows it.
    static let (headerSize, stride) = (56, UInt64(64))
    private static let mostVectors = 1024
    /// The largest datagram, and the most control messages, in bytes.
    private static let (mostBytes, mostControl) = (65_536, 65_536)

    private var vectors: [(address: UInt64, length: Int)] = []
    var name: UInt64 = 0
    /// The length of the name, as the program gave it.
    private(set) var nameLength: UInt32 = 0
    /// Where the name's length is written, for a receive.
    private var nameLengthAt: UInt64 = 0
    private var control: UInt64 = 0
    private var controlLength = 0
    /// The address of the `msghdr`; 0 if there is none.
    private var header: UInt64 = 0

    /// The number of bytes that fit, or are sent.
    var length: Int { vectors.reduce(0) { $0 + $1.length } }

    /// Makes the slot of `sendto` or `recvfrom`.
    init(_ call: WatchedCall, isReceive: Bool) {
        vectors = [(call.argument(1), Self.length(call.argument(2)))]
        name = call.argument(4)
        if isReceive {
            nameLengthAt = call.argument(5)
        } else {
            nameLength = UInt32(truncatingIfNeeded: call.argument(5))
        }
    }

    /// Reads a `msghdr`; nil if it, or its vectors, cannot be read.
    init?(_ call: WatchedCall, headerAt address: UInt64) {
        var bytes = [UInt8](repeating: 0, count: Self.headerSize)
        guard bytes.withUnsafeMutableBytes({ call.read(address, into: $0) }) else { return nil }
        let (name, nameLength, vectors, count, control, controlLength) = bytes.withUnsafeBytes { bytes in
            (
                bytes.load(fromByteOffset: 0, as: UInt64.self), bytes.load(fromByteOffset: 8, as: UInt32.self),
                bytes.load(fromByteOffset: 16, as: UInt64.self), bytes.load(fromByteOffset: 24, as: UInt64.self),
                bytes.load(fromByteOffset: 32, as: UInt64.self), bytes.load(fromByteOffset: 40, as: UInt64.self)
            )
        }
        (header, self.name, self.nameLength, self.control) = (address, name, nameLength, control)
        nameLengthAt = address + 8
        self.controlLength = Int(clamping: controlLength)
        guard count <= Self.mostVectors, self.controlLength <= Self.mostControl else { return nil }
        // Only a message with a name is handled here; the others need no reading.
        guard name != 0 else { return }
        var pairs = [UInt64](repeating: 0, count: 2 * Int(count))
        guard pairs.withUnsafeMutableBytes({ call.read(vectors, into: $0) }) else { return nil }
        for index in 0..<Int(count) { self.vectors.append((pairs[2 * index], Self.length(pairs[2 * index + 1]))) }
    }

    /// Returns a length of the program's, or a lower one that is still more than any datagram has: sums of them cannot overflow.
    private static func length(_ given: UInt64) -> Int { Int(min(given, UInt64(2 * mostBytes))) }

    // MARK: - Sending

    /// Sends the message from a socket of the program to an endpoint, or to the one to which it is connected.
    func send(_ call: WatchedCall, on raw: Int32, to peer: Endpoint?, flags: Int32) -> CallResult {
        // Of a stream the kernel takes as much as it likes; a datagram is whole.
        let length = peer == nil ? min(length, Self.mostBytes) : length
        guard length >= 0, length <= Self.mostBytes else { return .error(ErrorNumber(EMSGSIZE)) }
        var bytes = [UInt8](repeating: 0, count: length)
        var at = 0
        for vector in vectors where vector.length > 0 {
            let end = min(at + vector.length, length)
            let isRead = bytes.withUnsafeMutableBytes {
                call.read(vector.address, into: UnsafeMutableRawBufferPointer(rebasing: $0[at..<end]))
            }
            guard isRead else { return .error(ErrorNumber(EFAULT)) }
            at = end
        }
        var control = [UInt8](repeating: 0, count: controlLength)
        guard control.withUnsafeMutableBytes({ call.read(self.control, into: $0) }) else {
            return .error(ErrorNumber(EFAULT))
        }
        guard call.isWaiting else { return .error(ErrorNumber(EINTR)) }
        var storage = sockaddr_storage()
        let peerLength = peer.map { SocketAddress.write($0, to: &storage) } ?? 0
        let status = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                withUnsafeMutableBytes(of: &storage) { storage in
                    var message = weir_message()
                    (message.bytes, message.length) = (bytes.baseAddress, bytes.count)
                    (message.peer, message.peer_length) = (peer == nil ? nil : storage.baseAddress, peerLength)
                    (message.control, message.control_length) = (control.baseAddress, control.count)
                    return weir_message_send(raw, &message, flags)
                }
            }
        }
        return status < 0 ? .error(ErrorNumber(Int32(-status))) : .value(status)
    }

    // MARK: - Receiving

    /// A message as the kernel gave it.
    struct Received {
        /// What the call returns: the length, or with MSG_TRUNC the whole datagram's.
        var value: Int64
        var peer: Endpoint?
        fileprivate var bytes: [UInt8]
        fileprivate var control: [UInt8]
        fileprivate var flags: Int32
    }

    /// Receives a message from a socket of the program, without waiting.
    func receive(on raw: Int32, flags: Int32) -> Result<Received, WatchedCallError> {
        var bytes = [UInt8](repeating: 0, count: min(max(length, 0), Self.mostBytes))
        var control = [UInt8](repeating: 0, count: header == 0 ? 0 : controlLength)
        var storage = sockaddr_storage()
        var message = weir_message()
        let status = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                withUnsafeMutableBytes(of: &storage) { storage in
                    (message.bytes, message.length) = (bytes.baseAddress, bytes.count)
                    (message.peer, message.peer_length) = (storage.baseAddress, UInt32(storage.count))
                    (message.control, message.control_length) = (control.baseAddress, control.count)
                    return weir_message_receive(raw, &message, flags)
                }
            }
        }
        guard status >= 0 else { return .failure(WatchedCallError(Int32(-status))) }
        let peer = message.peer_length > 0 ? SocketAddress.endpoint(&storage) : nil
        return .success(
            Received(
                value: status,
                peer: peer,
                bytes: Array(bytes.prefix(Int(status))),
                control: Array(control.prefix(message.control_length)),
                flags: message.flags
            )
        )
    }

    /// Writes a received message into the program's memory, with its source as the program knows it.
    ///
    /// - Returns: the error of the call; nil if everything is written.
    func write(_ received: Received, from peer: Endpoint?, to call: WatchedCall) -> ErrorNumber? {
        let fault = ErrorNumber(EFAULT)
        var at = 0
        for vector in vectors where at < received.bytes.count && vector.length > 0 {
            let end = min(received.bytes.count, at + vector.length)
            let isWritten = received.bytes.withUnsafeBytes {
                call.write(UnsafeRawBufferPointer(rebasing: $0[at..<end]), to: vector.address)
            }
            guard isWritten else { return fault }
            at = end
        }
        if name != 0 {
            if let peer {
                if let error = call.write(peer, to: name, lengthAt: nameLengthAt) { return error }
            } else {
                call.write(Int32(0), to: nameLengthAt)
            }
        }
        guard header != 0 else { return nil }
        let isWritten = received.control.withUnsafeBytes { control == 0 || call.write($0, to: control) }
        guard isWritten, call.write(UInt64(received.control.count), to: header + 40),
            call.write(received.flags, to: header + 48)
        else { return fault }
        return nil
    }
}
