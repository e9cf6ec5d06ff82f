import Glibc
import Synchronization
import WeirWire

/// A port of the loopback at which nobody listens, over either transport.
package enum LoopbackPort {
    private static let count = Atomic(UInt32(getpid()) &* 37)

    /// Finds another one each time, below those that kernels give out by default: nobody who asks for any port gets it.
    package static func free() throws -> UInt16 {
        for _ in 0..<100 {
            let number = count.add(1, ordering: .relaxed).newValue
            let endpoint = Endpoint(address: .loopbackV4, port: UInt16(20_000 + number % 12_000))
            guard let stream = try? LoopbackSocket(.tcp, for: endpoint.address),
                let datagrams = try? LoopbackSocket(.udp, for: endpoint.address)
            else { continue }
            if (try? stream.bind(to: endpoint)) != nil, (try? datagrams.bind(to: endpoint)) != nil {
                return endpoint.port
            }
        }
        throw HelperError("no port of 20000 to 31999 is free")
    }
}
