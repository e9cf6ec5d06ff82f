public import WeirWire

/// An interface on which packets can be captured.
public struct NetworkInterface: Hashable, Sendable {
    /// The name of the interface, such as `eth0`.
    public var name: String
    /// The description in libpcap's words, if it has one.
    public var description: String?
    /// Whether it is a loopback interface.
    public var isLoopback: Bool
    /// Whether it is up.
    public var isUp: Bool
    /// The addresses of the interface.
    public var addresses: [IPAddress]

    /// Creates the description of an interface.
    public init(
        name: String,
        description: String? = nil,
        isLoopback: Bool = false,
        isUp: Bool = true,
        addresses: [IPAddress] = []
    ) {
        self.name = name
        self.description = description
        self.isLoopback = isLoopback
        self.isUp = isUp
        self.addresses = addresses
    }
}

extension NetworkInterface {
    /// The name of the loopback interface.
    public static var loopbackName: String { (try? all())?.first(where: \.isLoopback)?.name ?? "lo" }
}

#if LiveCapture
import CPcap
import Glibc

extension NetworkInterface {
    /// Returns the interfaces that libpcap knows, in its order.
    ///
    /// - Throws: `CaptureError.failed`.
    public static func all() throws(CaptureError) -> [NetworkInterface] {
        var words = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        var first: UnsafeMutablePointer<pcap_if_t>?
        guard pcap_findalldevs(&first, &words) == 0 else {
            throw .failed(attempt: "list the interfaces", words: CaptureHandle.text(words))
        }
        defer { pcap_freealldevs(first) }
        var interfaces: [NetworkInterface] = []
        var next = first
        while let entry = next?.pointee {
            interfaces.append(NetworkInterface(entry))
            next = entry.next
        }
        return interfaces
    }

    private init(_ entry: pcap_if_t) {
        self.init(
            name: String(cString: entry.name),
            description: entry.description.map { String(cString: $0) },
            isLoopback: entry.flags & UInt32(PCAP_IF_LOOPBACK) != 0,
            isUp: entry.flags & UInt32(PCAP_IF_UP) != 0
        )
        var next = entry.addresses
        while let address = next?.pointee {
            if let value = address.addr.flatMap(Self.address) { addresses.append(value) }
            next = address.next
        }
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        let raw = UnsafeRawPointer(pointer)
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            return IPAddress(v4: UInt32(bigEndian: raw.load(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6:
            let bytes = raw.load(as: sockaddr_in6.self)
            let (high, low) = withUnsafeBytes(of: bytes.sin6_addr) {
                (
                    UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            return IPAddress(v6: high, low: low, scope: bytes.sin6_scope_id)
        default: return nil
        }
    }
}
#else
extension NetworkInterface {
    /// Always throws, because this program was built without libpcap.
    ///
    /// - Throws: `CaptureError.notBuilt`.
    public static func all() throws(CaptureError) -> [NetworkInterface] { throw .notBuilt }
}
#endif
