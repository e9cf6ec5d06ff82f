import Testing

@testable import weir_bench

@Suite("Programs")
struct ProgramsTests {
    @Test("A program is found on the path, and what is no program is not")
    func find() {
        let programs = Programs(path: "/nowhere:/bin:/usr/bin")
        #expect(programs.find("sh")?.hasSuffix("/sh") == true)
        #expect(programs.find("no-such-program") == nil)
        #expect(programs.find("../etc/passwd") == nil)
    }

    @Test("A given path wins, and is not searched for when it is wrong")
    func given() {
        #expect(Programs(path: "/bin", given: ["sh": "/bin/ls"]).find("sh") == "/bin/ls")
        #expect(Programs(path: "/bin", given: ["sh": "/nowhere/sh"]).find("sh") == nil)
    }

    @Test("Weir is the given one, else the one beside weir-bench, else one on the path")
    func weir() {
        #expect(Programs.weir(given: "/x/weir", ownPath: "/bin/weir-bench") == ["weir": "/x/weir"])
        #expect(Programs.weir(given: nil, ownPath: "/nowhere/weir-bench").isEmpty)
    }

    @Test("The last line that says something is what a program complained of")
    func lastLine() {
        #expect(Child.lastLine(of: "one\ntwo\n \n") == "two")
        #expect(Child.lastLine(of: "\n") == nil)
    }
}
