import CWeir
import Glibc
package import WeirWire

/// Conversions between endpoints and the system's socket addresses, each a `sockaddr_storage` at a raw pointer.
package enum SocketAddress {
    /// Reads an endpoint from a `sockaddr_storage`; returns nil if it is neither IPv4 nor IPv6.
    package static func endpoint(_ storage: UnsafeRawPointer) -> Endpoint? {
        let bytes = UnsafeRawBufferPointer(start: storage, count: MemoryLayout<sockaddr_storage>.size)
        let port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        switch Int32(bytes.load(as: sa_family_t.self)) {
        case AF_INET:
            let value = UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self))
            return Endpoint(address: IPAddress(v4: value), port: port)
        case AF_INET6:
            let high = UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self))
            let low = UInt64(bigEndian: bytes.load(fromByteOffset: 16, as: UInt64.self))
            let scope = bytes.load(fromByteOffset: 24, as: UInt32.self)
            return Endpoint(address: IPAddress(v6: high, low: low, scope: scope), port: port)
        default: return nil
        }
    }

    /// Writes an endpoint to a `sockaddr_storage`, and returns its length in bytes.
    package static func write(_ endpoint: Endpoint, to storage: UnsafeMutableRawPointer) -> UInt32 {
        storage.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        storage.storeBytes(of: endpoint.port.bigEndian, toByteOffset: 2, as: UInt16.self)
        let address = endpoint.address
        if address.isV4 {
            storage.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
            storage.storeBytes(of: address.v4.bigEndian, toByteOffset: 4, as: UInt32.self)
            return UInt32(MemoryLayout<sockaddr_in>.size)
        }
        storage.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
        storage.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        storage.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        storage.storeBytes(of: address.scope, toByteOffset: 24, as: UInt32.self)
        return UInt32(MemoryLayout<sockaddr_in6>.size)
    }

    /// Reads the address to which a datagram was sent; returns nil if the kernel did not report it.
    static func address(_ local: weir_address) -> IPAddress? {
        withUnsafeBytes(of: local.bytes) { bytes in
            switch local.family {
            case 4: IPAddress(v4: UInt32(bigEndian: bytes.load(as: UInt32.self)))
            case 6:
                IPAddress(
                    v6: UInt64(bigEndian: bytes.load(as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self)),
                    scope: local.scope
                )
            default: nil
            }
        }
    }

    /// Writes the source address for a datagram.
    static func local(_ address: IPAddress) -> weir_address {
        var local = weir_address()
        local.family = address.isV4 ? 4 : 6
        local.scope = address.scope
        withUnsafeMutableBytes(of: &local.bytes) { bytes in
            if address.isV4 {
                bytes.storeBytes(of: address.v4.bigEndian, as: UInt32.self)
            } else {
                bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
        }
        return local
    }
}
