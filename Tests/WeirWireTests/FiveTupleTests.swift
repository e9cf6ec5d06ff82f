import Support
import Testing
import WeirWire

@Suite("Five-tuple")
struct FiveTupleTests {
    let client = Endpoint(address: .loopbackV4, port: 51_514)
    let server = Endpoint(address: .loopbackV4, port: 9_000)

    @Test("Swaps the ends, and back")
    func reversed() {
        let tuple = FiveTuple(transport: .tcp, source: client, destination: server)
        #expect(tuple.reversed == FiveTuple(transport: .tcp, source: server, destination: client))
        #expect(tuple.reversed != tuple)
        #expect(tuple.reversed.reversed == tuple)
    }

    @Test("Has one canonical value for both ways, which is one of the two")
    func canonical() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<1_000 {
            let source = Endpoint(address: .random(using: &generator), port: .random(in: 1...3, using: &generator))
            let other = Endpoint(address: source.address, port: .random(in: 1...3, using: &generator))
            for destination in [other, Endpoint(address: .random(using: &generator), port: 1)] {
                let tuple = FiveTuple(transport: .udp, source: source, destination: destination)
                #expect(tuple.canonical == tuple.reversed.canonical)
                #expect(tuple.canonical == tuple || tuple.canonical == tuple.reversed)
            }
        }
    }

    @Test("Keeps transports and other ends apart")
    func distinct() {
        let tcp = FiveTuple(transport: .tcp, source: client, destination: server)
        let udp = FiveTuple(transport: .udp, source: client, destination: server)
        let other = FiveTuple(transport: .tcp, source: client, destination: Endpoint(address: .loopbackV6, port: 9_000))
        #expect(Set([tcp, udp, other, tcp.reversed].map(\.canonical)).count == 3)
    }

    @Test("Prints the transport and both ends")
    func text() {
        let tuple = FiveTuple(transport: .tcp, source: client, destination: server)
        #expect(tuple.description == "tcp 127.0.0.1:51514 -> 127.0.0.1:9000")
    }
}
