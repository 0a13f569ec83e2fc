package main
import ("fmt";"os";"github.com/thanosleak/thanosleak/profile")
func main(){ for _,a:=range os.Args[1:]{ f,_:=os.Open(a); ss,err:=profile.Read(f, profile.Options{}); if err!=nil {fmt.Println(a,"ERR",err);continue}
for _,s:=range ss { fmt.Println(a,s.Encoding,s.Total,len(s.Groups),s.Truncated,s.Unreadable,s.LeaksOnly,s.Warnings); for i:=range s.Groups { g:=&s.Groups[i]; if i>3 {break}; fmt.Println("   ",g.Count,g.Signature.ID(),g.State(),g.Signature.Leaf(),len(g.Places),len(g.Goroutines),g.CreatedBy)}}}}
