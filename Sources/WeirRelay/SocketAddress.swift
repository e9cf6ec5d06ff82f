package import CWeir
import Glibc
package import WeirWire

/// Converts between endpoints and the system's socket addresses.
package enum SocketAddress {
    /// Reads an endpoint from a socket address; nil where it is neither IPv4 nor IPv6.
    package static func endpoint(_ storage: UnsafePointer<sockaddr_storage>) -> Endpoint? {
        let bytes = UnsafeRawBufferPointer(start: storage, count: MemoryLayout<sockaddr_storage>.size)
        let port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        switch Int32(storage.pointee.ss_family) {
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

    /// Writes an endpoint as a socket address, and returns its length.
    package static func write(_ endpoint: Endpoint, to storage: inout sockaddr_storage) -> socklen_t {
        storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.storeBytes(of: endpoint.port.bigEndian, toByteOffset: 2, as: UInt16.self)
            let address = endpoint.address
            if address.isV4 {
                bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
                bytes.storeBytes(of: address.v4.bigEndian, toByteOffset: 4, as: UInt32.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
            bytes.storeBytes(of: address.high.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 16, as: UInt64.self)
            bytes.storeBytes(of: address.scope, toByteOffset: 24, as: UInt32.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    /// Reads the address that a datagram was sent to; nil where the kernel did not say.
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

    /// Writes the address that a datagram is to leave from.
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
