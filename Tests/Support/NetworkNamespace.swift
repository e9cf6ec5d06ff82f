import Glibc

/// Is a network of a test's own, with a loopback; needs root.
package final class NetworkNamespace: Sendable {
    /// Names it, as ip-netns(8) does.
    package let name: String

    /// Makes it.
    package init() throws {
        name = "weir-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Self.run("ip", ["netns", "add", name])
        try run("ip", ["link", "set", "lo", "up"])
    }

    deinit {
        _ = try? ChildProgram.run("ip", ["netns", "del", name])
    }

    /// Is the command that runs another one in it.
    package var launcher: [String] { ["ip", "netns", "exec", name] }

    /// Runs a program in it to its end.
    package func run(_ program: String, _ arguments: [String]) throws {
        try Self.run("ip", ["netns", "exec", name, program] + arguments)
    }

    /// Joins it with another one by a pair of interfaces called `v0`, here with the addresses that end in 1.
    package func join(_ other: NetworkNamespace) throws {
        try run("ip", ["link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", other.name])
        for (namespace, number) in [(self, 1), (other, 2)] {
            // Without this nobody answers over IPv6 for a second, and the kernel talks on the link unasked.
            try namespace.run(
                "sysctl",
                ["-qw", "net.ipv6.conf.v0.accept_dad=0", "net.ipv6.conf.v0.router_solicitations=0"]
            )
            try namespace.run("ip", ["addr", "add", "10.9.0.\(number)/24", "dev", "v0"])
            try namespace.run("ip", ["addr", "add", "fd09::\(number)/64", "dev", "v0", "nodad"])
            try namespace.run("ip", ["link", "set", "v0", "up"])
        }
    }

    /// Makes something in it: a socket stays in the network that it was made in.
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

    /// Moves this thread, and no other, into a network.
    private static func enter(_ descriptor: Int32) throws -> Int32 {
        // Swift does not see setns(2).
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
