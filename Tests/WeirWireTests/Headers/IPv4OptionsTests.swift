import Support
import Testing
import WeirWire

@Suite("IPv4 options")
struct IPv4OptionsTests {
    private func options(_ text: String) throws -> IPv4Options {
        let wire = hex(text)
        let bytes = OptionBytes(wire.span.bytes)
        return IPv4Options(bytes: try #require(bytes))
    }

    @Test("Reads routes, where they have got to and their addresses")
    func routes() throws {
        guard case .route(let route)? = try Array(options("01 830b08 01020304 05060708")).last else {
            Issue.record("no route")
            return
        }
        #expect(route.kind == .loose && route.count == 2 && route.next == 1)
        #expect(route[0].description == "1.2.3.4" && route[1].description == "5.6.7.8")
    }

    @Test("Reads a router alert, padding and unknown options")
    func others() throws {
        #expect(Array(try options("94040000")) == [.routerAlert(0)])
        #expect(
            Array(try options("01 44 04 05 00 00")) == [.noOperation, .other(kind: 0x44, content: 3..<5), .endOfList]
        )
    }

    @Test("Takes a route for unknown where its pointer or length is wrong", arguments: ["830703", "83070501020304"])
    func wrongRoutes(text: String) throws {
        let first = try Array(options(text + "00000000")).first
        #expect(first == .other(kind: 131, content: 2..<7) || first == .other(kind: 131, content: 2..<3))
    }

    @Test("Stops at a length that is missing, too small or too large", arguments: ["07", "0701", "0700", "0703"])
    func malformed(text: String) throws {
        #expect(Array(try options("01" + text)) == [.noOperation, .malformed(kind: 7, at: 1)])
    }

    @Test("Says where a packet goes in the end")
    func finalDestination() throws {
        let destination = try #require(IPAddress("10.0.0.2"))
        var header = IPv4Header(source: .loopbackV4, destination: destination, protocol: .udp, payloadLength: 0)
        #expect(header.finalDestination == destination)
        header.options = try options("830b08 01020304 05060708 00")
        #expect(header.finalDestination.description == "5.6.7.8")
        header.options = try options("890704 09090909 00")
        #expect(header.finalDestination.description == "9.9.9.9")
        // All stops are made: the header's own destination is the last one.
        header.options = try options("830b0c 01020304 05060708 00")
        #expect(header.finalDestination == destination)
        header.options = try options("070704 09090909 00")
        #expect(header.finalDestination == destination)
    }

    @Test("Never traps, on any bytes")
    func hostile() {
        var generator = SeededGenerator(seed: 45)
        for _ in 0..<5000 {
            var bytes = OptionBytes()
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                bytes.append([0x83, 0x07, 0x89, 0x94].randomElement(using: &generator) ?? 0)
                bytes.append(UInt8.random(in: 0...12, using: &generator))
            }
            for case .route(let route) in IPv4Options(bytes: bytes) where route.count > 0 {
                #expect(route[route.count - 1].isV4 && route.next <= route.count)
            }
        }
    }
}
