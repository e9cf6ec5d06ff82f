import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The memory for one message on its way between a program and the kernel; each message uses it again.
final class MessageRoom {
    /// The largest datagram, and the most control messages, in bytes.
    static let (mostBytes, mostControl) = (65_536, 65_536)

    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: mostBytes, alignment: 16)
    let control = UnsafeMutableRawBufferPointer.allocate(byteCount: mostControl, alignment: 16)

    deinit {
        bytes.deallocate()
        control.deallocate()
    }

    /// Returns the first bytes of a part of the room.
    static func first(_ count: Int, of part: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: part[..<count])
    }
}

/// The places in a program's memory from which a message is sent, or into which one is received.
///
/// They are those of one `msghdr` (sendmsg(2), recvmsg(2)), or of the arguments of `sendto` and `recvfrom`.
struct MessageSlot {
    /// The size of a `msghdr`, and the distance of two in the array of `sendmmsg` and `recvmmsg`, whose length follows it.
    static let (headerSize, stride) = (56, UInt64(64))
    private static let mostVectors = 1024

    private typealias Vector = (address: UInt64, length: Int)

    private var vectors: [Vector] = []
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
        let word = UInt64(0)
        guard let read = call.read(address, as: (word, word, word, word, word, word, word)) else { return nil }
        let (name, nameLength, vectors, count, control, controlLength, _) = read
        (header, self.name, self.control) = (address, name, control)
        self.nameLength = UInt32(truncatingIfNeeded: nameLength)
        nameLengthAt = address + 8
        self.controlLength = Int(clamping: controlLength)
        guard count <= Self.mostVectors, self.controlLength <= MessageRoom.mostControl else { return nil }
        // Only a message with a name is handled here; the others need no reading.
        guard name != 0 else { return }
        let found = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * Int(count)) { pairs in
            pairs.initialize(repeating: 0)
            guard call.read(vectors, into: UnsafeMutableRawBufferPointer(pairs)) else { return nil as [Vector]? }
            return (0..<Int(count)).map { (pairs[2 * $0], Self.length(pairs[2 * $0 + 1])) }
        }
        guard let found else { return nil }
        self.vectors = found
    }

    /// Returns a length of the program's, or a lower one that is still more than any datagram has: sums of them cannot overflow.
    private static func length(_ given: UInt64) -> Int { Int(min(given, UInt64(2 * MessageRoom.mostBytes))) }

    // MARK: - Sending

    /// Sends the message from a socket of the program to an endpoint, or to the one to which it is connected.
    func send(
        _ call: WatchedCall,
        on raw: Int32,
        to peer: Endpoint?,
        flags: Int32,
        through room: MessageRoom
    ) -> CallResult {
        // Of a stream the kernel takes as much as it likes; a datagram is whole.
        let length = peer == nil ? min(length, MessageRoom.mostBytes) : length
        guard length <= MessageRoom.mostBytes else { return .error(ErrorNumber(EMSGSIZE)) }
        let bytes = MessageRoom.first(length, of: room.bytes)
        let control = MessageRoom.first(controlLength, of: room.control)
        var at = 0
        for vector in vectors where vector.length > 0 {
            let end = min(at + vector.length, length)
            guard call.read(vector.address, into: UnsafeMutableRawBufferPointer(rebasing: bytes[at..<end])) else {
                return .error(ErrorNumber(EFAULT))
            }
            at = end
        }
        guard call.read(self.control, into: control) else { return .error(ErrorNumber(EFAULT)) }
        guard call.isWaiting else { return .error(ErrorNumber(EINTR)) }
        var storage = sockaddr_storage()
        let peerLength = peer.map { SocketAddress.write($0, to: &storage) } ?? 0
        let status = withUnsafeMutableBytes(of: &storage) { storage in
            var message = weir_message()
            (message.bytes, message.length) = (bytes.baseAddress, length)
            (message.peer, message.peer_length) = (peer == nil ? nil : storage.baseAddress, peerLength)
            (message.control, message.control_length) = (control.baseAddress, control.count)
            return weir_message_send(raw, &message, flags)
        }
        return status < 0 ? .error(ErrorNumber(Int32(-status))) : .value(status)
    }

    // MARK: - Receiving

    /// A message as the kernel gave it; its bytes are in the room until the next message.
    struct Received {
        /// What the call returns: the length, or with MSG_TRUNC the whole datagram's.
        var value: Int64
        var peer: Endpoint?
        fileprivate var bytes: UnsafeRawBufferPointer
        fileprivate var control: UnsafeRawBufferPointer
        fileprivate var flags: Int32
    }

    /// Receives a message from a socket of the program, without waiting.
    func receive(on raw: Int32, flags: Int32, through room: MessageRoom) -> Result<Received, WatchedCallError> {
        let bytes = MessageRoom.first(min(length, MessageRoom.mostBytes), of: room.bytes)
        let control = MessageRoom.first(header == 0 ? 0 : controlLength, of: room.control)
        var storage = sockaddr_storage()
        var message = weir_message()
        let status = withUnsafeMutableBytes(of: &storage) { storage in
            (message.bytes, message.length) = (bytes.baseAddress, bytes.count)
            (message.peer, message.peer_length) = (storage.baseAddress, UInt32(storage.count))
            (message.control, message.control_length) = (control.baseAddress, control.count)
            return weir_message_receive(raw, &message, flags)
        }
        guard status >= 0 else { return .failure(WatchedCallError(Int32(-status))) }
        return .success(
            Received(
                value: status,
                peer: message.peer_length > 0 ? SocketAddress.endpoint(&storage) : nil,
                bytes: UnsafeRawBufferPointer(MessageRoom.first(min(Int(status), bytes.count), of: bytes)),
                control: UnsafeRawBufferPointer(MessageRoom.first(message.control_length, of: control)),
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
            guard call.write(UnsafeRawBufferPointer(rebasing: received.bytes[at..<end]), to: vector.address) else {
                return fault
            }
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
        guard control == 0 || call.write(received.control, to: control),
            call.write(UInt64(received.control.count), to: header + 40),
            call.write(received.flags, to: header + 48)
        else { return fault }
        return nil
    }
}
