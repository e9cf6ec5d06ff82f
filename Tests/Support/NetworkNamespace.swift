import Glibc

/// A network namespace of a test, with a loopback; needs root.
package final class NetworkNamespace: Sendable {
    /// The name for ip-netns(8).
    package let name: String

    /// Creates the namespace.
    package init() throws {
        name = "weir-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Self.run("ip", ["netns", "add", name])
        try run("ip", ["link", "set", "lo", "up"])
    }

    deinit {
        _ = try? ChildProgram.run("ip", ["netns", "del", name])
    }

    /// The command that runs another command in the namespace.
    package var launcher: [String] { ["ip", "netns", "exec", name] }

    /// Runs a program in the namespace to its end.
    package func run(_ program: String, _ arguments: [String]) throws {
        try Self.run("ip", ["netns", "exec", name, program] + arguments)
    }

    /// Joins the namespace to another one by a pair of interfaces called `v0`; the addresses here end in 1.
    package func join(_ other: NetworkNamespace) throws {
        try run("ip", ["link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", other.name])
        for (namespace, number) in [(self, 1), (other, 2)] {
            // Without this there is no answer over IPv6 for a second, and the kernel sends packets of its own on the
            // link.
            try namespace.run(
                "sysctl",
                ["-qw", "net.ipv6.conf.v0.accept_dad=0", "net.ipv6.conf.v0.router_solicitations=0"]
            )
            try namespace.run("ip", ["addr", "add", "10.9.0.\(number)/24", "dev", "v0"])
            try namespace.run("ip", ["addr", "add", "fd09::\(number)/64", "dev", "v0", "nodad"])
            try namespace.run("ip", ["link", "set", "v0", "up"])
        }
    }

    /// Makes a value in the namespace: a socket stays in the network in which it was made.
    package func make<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let path = "/run/netns/" + name
        return try Background {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0, try Self.enter(descriptor) == 0 else {
                throw HelperError("cannot enter \(path): errno \(errno)")
            }
            close(descriptor)
            return try body()
        }.value()
    }

    /// Moves only this thread into a network.
    private static func enter(_ descriptor: Int32) throws -> Int32 {
        // Swift does not import setns(2).
        guard let function = dlsym(nil, "setns") else { throw HelperError("no setns") }
        typealias Function = @convention(c) (Int32, Int32) -> Int32
        let newNetwork: Int32 = 0x4000_0000
        return unsafeBitCast(function, to: Function.self)(descriptor, newNetwork)
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let ended = try ChildProgram.run(program, arguments)
        guard ended.status == 0 else { throw HelperError("\(program) \(arguments): \(ended.output)") }
    }
}
