import NIOCore
import Testing
import WeirRelay
import WeirSinks
import WeirWire

@testable import WeirAdmin

@Suite("Settings of the control API")
struct AdminSettingsTests {
    @Test("Without settings it is Toxiproxy's place, and has the documented limits")
    func defaults() throws {
        let settings = AdminSettings()
        #expect(settings.listen == HostPort(.address(.loopbackV4), 8474) && settings.version == "0")
        #expect(try settings.address() == Endpoint(address: .loopbackV4, port: 8474))
        #expect(settings.capturesFolder == "Captures" && settings.token == nil && settings.recording.seed == 0)
        #expect(settings.maxConnections == 256 && settings.maxStreams == 32 && AdminSettings.leastTokenLength == 16)
        let times = settings.times
        #expect(times.request == .seconds(15) && times.handling == .seconds(25) && times.answer == .seconds(30))
        #expect(times.progress == .seconds(10) && times.lingering == .seconds(2))
    }

    @Test(
        "It listens where it is told to",
        arguments: [
            ("default", "127.0.0.1:8474"), ("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:9", "[::1]:9"),
            ("80", "127.0.0.1:80"),
        ]
    )
    func listens(text: String, place: String) throws {
        var settings = AdminSettings()
        try settings.listen(at: text)
        #expect(try settings.address() == Endpoint(place))
    }

    @Test("Everywhere it listens only with a token, and a folder of captures has a name")
    func restricts() throws {
        var settings = AdminSettings()
        try settings.listen(at: "0.0.0.0:1")
        let open = settings
        let error = #expect(throws: AdminSettingsError.self) { try open.address() }
        #expect(error?.description.hasPrefix("the control API on 0.0.0.0:1 would be open to everybody") == true)
        try settings.requireToken("0123456789abcdef")
        #expect(try settings.address() == Endpoint(address: .anyV4, port: 1) && settings.token?.length == 16)
        try settings.keepCaptures(in: "x")
        #expect(settings.capturesFolder == "x")
    }
}
