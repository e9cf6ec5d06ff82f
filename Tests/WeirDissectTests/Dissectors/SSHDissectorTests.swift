import Testing
import WeirWire

@testable import WeirDissect

@Suite("SSH dissector")
struct SSHDissectorTests {
    @Test("Reads both banners on any port, and nothing behind them", arguments: [1, 3, 1000])
    func banners(size: Int) {
        var flow = DissectionDialogue()
        flow.add(
            Array("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".utf8) + [0, 0, 4, 1, 10, 20],
            .downstream,
            inPiecesOf: size
        )
        flow.add(Array("SSH-2.0-x\n".utf8) + [0, 0, 0, 9] + Array("SSH-2.0-y\n".utf8), .upstream, inPiecesOf: size)
        flow.finish()
        #expect(flow.said == ["down 0..<32 ssh: SSH-2.0-OpenSSH_9.2p1 Debian-2", "up 0..<10 ssh: SSH-2.0-x"])
        #expect(flow.messages.first?.fieldLines == ["ssh.protocol 0..<30 SSH-2.0-OpenSSH_9.2p1 Debian-2"])
    }

    @Test("Reads the lines that a server sends first, on its port")
    func greeting() {
        var flow = DissectionDialogue(port: 22)
        flow.down("Go away!\r\nSSH-2.0-x\r\n")
        #expect(flow.said == ["down 0..<10 ssh: line before the banner: Go away!", "down 10..<21 ssh: SSH-2.0-x"])
    }

    @Test("Gives up lines that are too long, and clients that greet")
    func others() {
        var flow = DissectionDialogue(port: 22)
        flow.up("hello\nSSH-2.0-x\n")
        #expect(flow.take() == [])
        var long = DissectionDialogue()
        long.up("SSH-" + String(repeating: "x", count: 9000))
        long.up("\n")
        long.finish()
        #expect(long.said == [])
    }
}
