"""Style sheet of the pages. Colours are variables, so that dark mode is one block."""

# Series colours keep a contrast of at least 3:1 on both backgrounds and differ in lightness for
# readers who do not tell hues apart; curves differ in dash pattern too.
STYLE = """
:root{--paper:#fdfdfc;--card:#f3f3f0;--ink:#1d2125;--soft:#565d66;--rule:#d5d6d2;--link:#0b57a4;
--s0:#0b62b8;--s1:#c2500a;--s2:#2c7a4b;--s3:#7c3aa8;
--s4:#a0174f;--s5:#0a7a86;--s6:#7a5c00;--s7:#4d5560}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1e2327;--ink:#e6e7e4;--soft:#a7aeb5;
--rule:#3a4147;--link:#7db8f5;--s0:#6fb3ff;--s1:#ffa35c;--s2:#7ed09b;--s3:#cfa2f2;
--s4:#ff8fb8;--s5:#5fd3de;--s6:#e3c04d;--s7:#b3bcc6}}
*{box-sizing:border-box}
html{font:17px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;padding:1.6rem 1.1rem 4rem;max-width:62rem}
h1{font-size:1.75rem;line-height:1.2;margin:.2rem 0 .6rem;letter-spacing:-.01em}
h2{font-size:1.25rem;line-height:1.3;margin:2.6rem 0 .7rem;padding-top:.7rem;
border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.6rem 0 .4rem}
p,li,dd,figcaption,.note{max-width:42rem}
p{margin:.5rem 0}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
main:focus{outline:none}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.4rem .8rem;z-index:1}
.lead{font-size:1.08rem}
.note,figcaption{color:var(--soft);font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:1rem 0 0;padding:0}
nav a{display:inline-block;padding:.25rem 0}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.95rem;font-variant-numeric:tabular-nums}
th,td{padding:.38rem .9rem .38rem 0;text-align:left;vertical-align:baseline;
border-bottom:1px solid var(--rule)}
thead th{border-bottom:2px solid var(--ink);font-weight:600;white-space:nowrap}
tbody th{font-weight:400}
tr.group th{font-weight:600;padding-top:.9rem}
.num{text-align:right;white-space:nowrap}
.stack td:not(.num),.stack tbody th{overflow-wrap:break-word;min-width:7.5rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1.4rem}
figure{margin:1rem 0}
.charts figure{margin:0}
.chart figcaption{color:var(--ink);font-weight:600;font-size:.95rem;margin-bottom:.2rem}
.chart>svg{width:100%;max-width:34rem;height:auto;display:block}
svg text{fill:var(--soft);font-size:14px}
svg .axis{fill:var(--ink)}
svg .heading{fill:var(--ink);font-weight:600}
svg .value{fill:var(--ink)}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .base{stroke:var(--soft);stroke-width:1}
svg .stem{stroke:var(--rule);stroke-width:2}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1);stroke-dasharray:7 4}
.s2{stroke:var(--s2);stroke-dasharray:2 4}.s3{stroke:var(--s3);stroke-dasharray:9 3 2 3}
.s4{stroke:var(--s4);stroke-dasharray:12 4}.s5{stroke:var(--s5);stroke-dasharray:1 3}
.s6{stroke:var(--s6);stroke-dasharray:5 2}.s7{stroke:var(--s7);stroke-dasharray:12 3 2 3 2 3}
.solid{stroke-dasharray:none}
.band{stroke:none;opacity:.18}
.band.s0{fill:var(--s0)}.band.s1{fill:var(--s1)}.band.s2{fill:var(--s2)}.band.s3{fill:var(--s3)}
.band.s4{fill:var(--s4)}.band.s5{fill:var(--s5)}.band.s6{fill:var(--s6)}.band.s7{fill:var(--s7)}
.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--paper);stroke-width:2.4;stroke-dasharray:none}
.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--paper);stroke-dasharray:none}
.dot.s4{fill:var(--s4)}.dot.s5{fill:var(--paper);stroke-dasharray:none}
.dot.s6{fill:var(--s6)}.dot.s7{fill:var(--paper);stroke-dasharray:none}
.plate{background:#fff;padding:.5rem;border-radius:5px;max-width:max-content}
.plate img{width:100%;height:auto;display:block}
.plates{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
.plates figure{margin:0}
.warn{border-left:4px solid var(--s1);padding-left:.7rem}
.legend{display:flex;flex-wrap:wrap;gap:0 1.2rem;list-style:none;margin:.1rem 0 .3rem;padding:0;
font-size:.88rem}
.chip{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4rem}
.legend svg{width:26px;height:10px;margin-right:.4rem}
.pictures{display:grid;gap:.25rem;max-width:var(--grid-width)}
.pictures .head{font-size:clamp(.62rem,2.7vw,.88rem);text-align:center;color:var(--soft);
align-self:end;overflow-wrap:anywhere}
.pictures img{width:100%;height:auto;display:block;border-radius:2px}
.pixels img{image-rendering:pixelated}
.pictures~figcaption,.plate+figcaption{margin-top:.4rem}
.pictures .row-note{grid-column:1/-1;font-size:.85rem;color:var(--soft);margin-top:.4rem}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.25rem 1.2rem;margin:.8rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--card);padding:.8rem 1rem;overflow-x:auto;border-radius:5px;font-size:.82rem;
line-height:1.45}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.88em}
pre code{font-size:1em}
details{margin:.6rem 0}summary{cursor:pointer;padding:.25rem 0}
@media(max-width:34rem){html{font-size:16px}body{padding:1rem .9rem 3rem}h1{font-size:1.45rem}
dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}th,td{padding-right:.3rem}
table{font-size:.8rem}.num{padding-left:.1rem}thead th{white-space:normal}
tbody th{min-width:6.5rem}
.stack thead{position:absolute;left:-99rem}.stack,.stack tbody,.stack tr,.stack td,
.stack tbody th{display:block;text-align:left;white-space:normal}
.stack tr{padding:.45rem 0;border-bottom:1px solid var(--rule)}.stack tbody th{font-weight:600}
.stack td,.stack tbody th{border:0;padding:.1rem 0;font-size:.9rem;overflow-wrap:anywhere}
.stack td:empty{display:none}
.stack td::before{content:attr(data-name)": ";color:var(--soft)}}
@media print{nav,.skip{display:none}h2{break-after:avoid}figure,tr{break-inside:avoid}}
"""
