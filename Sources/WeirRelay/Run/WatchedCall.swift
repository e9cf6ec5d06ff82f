import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A system call of the program that waits for its answer.
struct WatchedCall {
    let raw: weir_call
    let listener: Int32

    var id: UInt64 { raw.id }
    var thread: Int32 { raw.thread }

    /// The argument at a place, from 0.
    func argument(_ place: Int) -> UInt64 {
        withUnsafeBytes(of: raw.arguments) { $0.load(fromByteOffset: 8 * place, as: UInt64.self) }
    }

    /// The argument at a place as a C `int`.
    func integer(_ place: Int) -> Int32 { Int32(truncatingIfNeeded: argument(place)) }

    /// Whether the thread still waits in this call; check it after reading anything of its process, and before changing anything.
    var isWaiting: Bool { weir_call_waits(listener, raw.id) }

    // MARK: - The process's memory

    /// Fills bytes from an address in the process's memory.
    func read(_ address: UInt64, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        bytes.isEmpty || weir_memory_read(thread, address, bytes.baseAddress, bytes.count) == 0
    }

    /// Reads a value of plain bytes; nil if there is no such memory.
    func read<Value: BitwiseCopyable>(_ address: UInt64, as empty: Value) -> Value? {
        var value = empty
        let isRead = withUnsafeMutableBytes(of: &value) { read(address, into: $0) }
        return isRead ? value : nil
    }

    /// Writes bytes to an address in the process's memory, if the thread still waits in this call.
    ///
    /// Once a signal has interrupted the call, the memory may be another variable's.
    @discardableResult
    func write(_ bytes: UnsafeRawBufferPointer, to address: UInt64) -> Bool {
        bytes.isEmpty || isWaiting && weir_memory_write(thread, address, bytes.baseAddress, bytes.count) == 0
    }

    @discardableResult
    func write<Value: BitwiseCopyable>(_ value: Value, to address: UInt64) -> Bool {
        withUnsafeBytes(of: value) { write($0, to: address) }
    }

    /// Reads a socket address that the program passes to a call.
    ///
    /// - Returns: the endpoint, `.other` if the kernel must judge it: another family, or one that is too short.
    func address(at address: UInt64, length: UInt32) -> PassedAddress {
        var storage = sockaddr_storage()
        guard length >= 2, let count = Int(exactly: length), count <= MemoryLayout<sockaddr_storage>.size else {
            return .other
        }
        let status = withUnsafeMutableBytes(of: &storage) { weir_memory_read(thread, address, $0.baseAddress, count) }
        // Only the kernel gives the error of memory that is not there.
        guard status >= 0 else { return status == -EPERM ? .unreadable : .other }
        switch Int32(storage.ss_family) {
        case AF_UNSPEC: return .none
        case AF_INET where count >= MemoryLayout<sockaddr_in>.size,
            AF_INET6 where count >= 24:
            return SocketAddress.endpoint(&storage).map { .endpoint($0) } ?? .other
        default: return .other
        }
    }

    /// Writes a socket address as the kernel does: as much as there is room for, and its whole length.
    ///
    /// - Returns: the error of the call; nil if it is written.
    func write(_ endpoint: Endpoint, to address: UInt64, lengthAt place: UInt64) -> ErrorNumber? {
        guard let room = read(place, as: Int32(0)) else { return ErrorNumber(EFAULT) }
        guard room >= 0 else { return ErrorNumber(EINVAL) }
        var storage = sockaddr_storage()
        let length = SocketAddress.write(endpoint, to: &storage)
        let isWritten = withUnsafeBytes(of: storage) {
            write(UnsafeRawBufferPointer(rebasing: $0[..<min(Int(room), Int(length))]), to: address)
        }
        return isWritten && write(Int32(length), to: place) ? nil : ErrorNumber(EFAULT)
    }

    // MARK: - Answers

    /// Lets the kernel perform the call, as if nobody watched.
    func pass() { _ = weir_call_continue(listener, raw.id) }

    /// Returns whether this is the same call as another one, made again by the same thread after a signal.
    func isRepetition(of other: WatchedCall) -> Bool {
        raw.thread == other.raw.thread && raw.number == other.raw.number && raw.instruction == other.raw.instruction
            && (0..<6).allSatisfy { argument($0) == other.argument($0) }
    }
}

/// A socket address that a program passes to a call.
enum PassedAddress {
    case endpoint(Endpoint)
    /// The family `AF_UNSPEC`: it disconnects a socket.
    case none
    /// One that only the kernel can judge.
    case other
    /// In memory that Weir may not read.
    case unreadable
}

/// What a call returns: a value from 0, or an error.
enum CallResult: Hashable {
    case value(Int64)
    case error(ErrorNumber)

    static var done: CallResult { .value(0) }
}

/// A socket of the program, as a descriptor of Weir's own; it is closed at once after use, so that a program's `close` stays one.
struct WatchedSocket: ~Copyable {
    let descriptor: Descriptor
    let facts: weir_socket_facts

    var raw: Int32 { descriptor.raw }
    var cookie: UInt64 { facts.cookie }

    /// The transport; nil for a socket that is neither TCP's nor UDP's.
    var transport: Transport? {
        guard facts.family == AF_INET || facts.family == AF_INET6 else { return nil }
        switch (UInt32(bitPattern: facts.type), Int(facts.protocol)) {
        // Multipath TCP has the number 262.
        case (SOCK_STREAM.rawValue, Int(IPPROTO_TCP)), (SOCK_STREAM.rawValue, 262): return .tcp
        case (SOCK_DGRAM.rawValue, Int(IPPROTO_UDP)): return .udp
        default: return nil
        }
    }

    /// Whether it has the family of IPv6, where addresses of IPv4 are mapped.
    var isV6: Bool { facts.family == AF_INET6 }

    /// The reason why its traffic cannot be relayed; nil if it can.
    var obstacle: Obstacle? {
        if transport == nil { return .otherProtocol }
        if facts.is_elsewhere { return .otherNamespace }
        if facts.is_bound_to_device { return .boundToDevice }
        return facts.is_marked ? .marked : nil
    }

    /// Returns an endpoint as the program's socket writes it: mapped into IPv6, if it is of that family.
    func written(_ endpoint: Endpoint) -> Endpoint { isV6 ? endpoint.mapped : endpoint }

    /// The loopback's address of the family in which a destination is reached.
    func loopback(toward destination: Endpoint) -> IPAddress {
        destination.address.unmapped.isV4 ? .loopbackV4 : .loopbackV6
    }
}

extension Endpoint {
    /// The endpoint with the IPv4 address that is mapped into its IPv6 address, if one is.
    var unmapped: Endpoint { Endpoint(address: address.unmapped, port: port) }

    /// The endpoint with an IPv4 address mapped into IPv6.
    var mapped: Endpoint {
        guard address.isV4 else { return self }
        return Endpoint(address: IPAddress(v6: 0, low: 0xffff_0000_0000 | UInt64(address.v4)), port: port)
    }
}

/// The reason why a call, or a socket, was left to the kernel alone.
enum Obstacle: String, CaseIterable {
    case excluded = "excluded by --only or --except"
    case afterEnd = "after the command's end"
    case otherProtocol = "neither TCP nor UDP"
    case otherNamespace = "in another network namespace"
    case boundToDevice = "bound to a network device"
    case marked = "with a mark for routing"
    case toGroup = "to a group or to everyone (multicast, broadcast)"
    case toWeir = "to Weir itself"
    case toServed = "to the command's own server, which relays its clients"
    case unreadable = "of a program whose memory cannot be read (not dumpable)"
    case shortage = "while Weir had no descriptors or memory left"
    case tooManyDestinations = "to more destinations than Weir keeps apart"

    /// Whether the user chose it, so that it is not worth a warning.
    var isWanted: Bool { [.excluded, .toWeir, .toServed, .afterEnd].contains(self) }
}
