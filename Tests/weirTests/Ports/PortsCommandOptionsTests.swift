import ArgumentParser
import Testing
import WeirRelay

@testable import weir

@Suite("The options of weir ports")
struct PortsCommandOptionsTests {
    @Test(
        "Options that exclude or need each other are refused with the reason",
        arguments: [
            (["x"], nil), (["--probe", "tcp"], nil), (["--host"], nil), (["x", "-"], nil),
            ([], "Give files, or --probe, or --host: one of them."),
            (["x", "--host"], "Give files, or --probe, or --host: one of them."),
            (["--probe", "tcp", "--host"], "Give files, or --probe, or --host: one of them."),
            (["x", "--probe", "tcp"], "Give files, or --probe, or --host: one of them."),
            (["--probe", "tcp", "-n", "1"], nil), (["--probe", "tcp", "-n", "20000"], nil),
            (["--probe", "tcp", "-n", "0"], "-n takes a number from 1 to 20000."),
            (["--probe", "tcp", "-n", "20001"], "-n takes a number from 1 to 20000."),
            (["--probe", "tcp", "--destinations", "1"], nil), (["--probe", "tcp", "--destinations", "64"], nil),
            (["--probe", "tcp", "--destinations", "0"], "--destinations takes 1 to 64."),
            (["--probe", "tcp", "--destinations", "65"], "--destinations takes 1 to 64."),
            (["x", "--over", "1s"], "-n, --style, --destinations and --over need --probe."),
            (["x", "--style", "bind"], "-n, --style, --destinations and --over need --probe."),
            (["x", "-n", "499"], "-n, --style, --destinations and --over need --probe."),
            (["x", "-n", "500", "--destinations", "2", "--style", "connect"], nil),
            (["x", "--destinations", "3"], "-n, --style, --destinations and --over need --probe."),
            (["--probe", "tcp", "--over", "1h"], nil),
            (["--probe", "tcp", "--over", "3601s"], "--over takes at most 1h."),
            (["--probe", "tcp", "--style", "range"], "--style range needs --range LOW-HIGH."),
            (["--probe", "tcp", "--style", "range", "--range", "1-9"], nil),
            (["--probe", "tcp", "--style", "reuse"], nil),
            (["--probe", "udp", "--style", "bind"], nil),
            (
                ["--probe", "udp", "--style", "reuse"],
                "--style reuse is for tcp: a UDP socket with SO_REUSEADDR would share ports."
            ),
            (["x", "--watch"], "--watch needs --host."), (["--host", "--watch"], nil),
            (["--host", "--plot", "a.svg"], "--plot and --graph are for files and --probe."),
            (["--host", "--graph"], "--plot and --graph are for files and --probe."),
            (["--host", "--interval", "100ms"], nil),
            (["--host", "--interval", "99ms"], "--interval is 100ms at least."),
            (["x", "--plot", "a.svg"], nil), (["x", "--plot", "a.html"], nil),
            (["x", "--plot", "a.png"], "--plot takes a name that ends in .svg or .html."),
            (["x", "--json", "--graph"], "--json and --graph exclude each other."), (["x", "--graph"], nil),
            (["-", "-"], "Standard input can be read once."),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(PortsCommand.self, arguments) == reason)
    }

    @Test("Without options 500 ports to two destinations are taken at once")
    func defaults() throws {
        let command = try PortsCommand.parse(["--probe", "tcp"])
        #expect(command.number == 500 && command.destinations == 2 && command.style == .connect)
        #expect(command.over.duration == .zero && command.interval.duration == .seconds(1) && command.range == nil)
    }
}
