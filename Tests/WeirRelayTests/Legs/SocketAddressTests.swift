import Glibc
import Testing
import WeirWire

@testable import WeirRelay

@Suite("Socket address")
struct SocketAddressTests {
    @Test(
        "Writes what it reads",
        arguments: [
            Endpoint(address: .loopbackV4, port: 80),
            Endpoint(address: IPAddress(v4: 0x0102_0304), port: 65_535),
            Endpoint(address: .loopbackV6, port: 1),
            Endpoint(address: IPAddress(v6: 0xfe80 << 48, low: 0x0102_0304_0506_0708, scope: 7), port: 0),
        ]
    )
    func roundTrip(endpoint: Endpoint) {
        var storage = sockaddr_storage()
        let length = SocketAddress.write(endpoint, to: &storage)
        #expect(length == (endpoint.address.isV4 ? 16 : 28))
        #expect(storage.ss_family == sa_family_t(endpoint.address.isV4 ? AF_INET : AF_INET6))
        #expect(SocketAddress.endpoint(&storage) == endpoint)
        #expect(SocketAddress.address(SocketAddress.local(endpoint.address)) == endpoint.address)
    }

    @Test("Lays the bytes out as the system does")
    func layout() {
        var storage = sockaddr_storage()
        _ = SocketAddress.write(Endpoint(address: IPAddress(v4: 0x0102_0304), port: 0x1234), to: &storage)
        let bytes = withUnsafeBytes(of: &storage) { Array($0[2..<8]) }
        #expect(bytes == [0x12, 0x34, 1, 2, 3, 4])
    }

    @Test("Knows IPv4 and IPv6 alone")
    func others() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        #expect(SocketAddress.endpoint(&storage) == nil)
    }
}
