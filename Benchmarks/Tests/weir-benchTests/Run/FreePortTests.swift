import Testing

@testable import weir_bench

@Suite("Free ports")
struct FreePortTests {
    @Test("The table of UDP sockets is searched by local port")
    func table() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
             100: 0100007F:5BA0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1
            """
        #expect(FreePort.isBoundUDP(23456, table: text))
        #expect(!FreePort.isBoundUDP(23457, table: text))
        #expect(!FreePort.isBoundUDP(0, table: text))
        #expect(!FreePort.isBoundUDP(1, table: ""))
    }

    @Test("A free port can be bound, and is below the ephemeral range", arguments: [Socket.Transport.tcp, .udp])
    func find(_ transport: Socket.Transport) throws {
        let port = try FreePort.find(transport)
        #expect(port < 32768)
        #expect(port >= 20000)
    }
}
